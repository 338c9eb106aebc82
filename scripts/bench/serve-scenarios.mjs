// @ts-check
// What clients get from imgpack's server and from docker-registry, as data: what is measured and held against targets.
import { containerdRows, curlRows, dockerRows, FROM_FILE, FROM_STORE, manyRows, PEER, podmanRows } from "./serve.mjs";
import { against, peakTarget } from "./targets.mjs";

/** @type {Pick<import("./scenarios.mjs").Scenario, "group" | "needs" | "isShort" | "isCounted" | "columns" | "ratios">} */
const serve = {
  ...{ group: "serve", isShort: false, isCounted: false },
  needs: ["image"],
  columns: ["wall", "cpu", "peak"],
  ratios: ["wall"],
};
const speed = [FROM_FILE, FROM_STORE].map(label => against("wall", PEER, 1, label));

/** @type {import("./scenarios.mjs").Scenario[]} */
export const serveScenarios = [
  ...[
    { id: "serve-curl", client: "curl, all layers in turn", rows: curlRows },
    { id: "serve-containerd", client: "containerd (ctr content fetch)", rows: containerdRows },
    { id: "serve-docker", client: "docker", rows: dockerRows },
    { id: "serve-podman", client: "podman", rows: podmanRows },
  ].map(({ id, client, rows }) => ({
    ...serve,
    id,
    title: `The image from a server, by ${client}`,
    note: "CPU and peak are the client's. All three servers have the same blobs.",
    rows,
    targets: speed,
  })),
  {
    ...serve,
    id: "serve-many",
    title: "The largest layer, 100 times at once by curl",
    note: "The command is the server with its clients, so the peak is the server's.",
    rows: manyRows,
    targets: [peakTarget(FROM_FILE)],
  },
];
