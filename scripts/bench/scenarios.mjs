// @ts-check
// What is measured, as data: each scenario has rows that run in turn, columns to print and targets to hold against.
import { bundleScenarios } from "./bundle-scenarios.mjs";
import { largeScenarios } from "./large-scenarios.mjs";
import { IMAGES, manyRows } from "./many.mjs";
import { paceScenarios } from "./pace-scenarios.mjs";
import { latePulls, latePushes, pulls, ROUND_TRIP_MS, tlsPulls } from "./pulls.mjs";
import { cacheEnv, coldPushes, memoryRows, movers, packedPushes, prime, pullers, pushers, rowsOf } from "./rows.mjs";
import { serveScenarios } from "./serve-scenarios.mjs";
import { against, NO_BYTES, peakTarget, pullPeakBytes, pullTargets, sameAs } from "./targets.mjs";
import { compressions, executable } from "./tools.mjs";

/** @typedef {import("./measure.mjs").Metric} Metric */

/** @typedef {import("./targets.mjs").Target} Target */

/**
 * @typedef {object} Scenario
 * @property {string} id
 * @property {string} group the word of --only
 * @property {string} title
 * @property {string} [note] what explains the figures, without a figure in it
 * @property {("image" | "large")[]} needs
 * @property {number} [runs] default: that of the command line
 * @property {boolean} isShort
 * @property {boolean} isCounted
 * @property {boolean} [isThorough] only with --thorough
 * @property {Metric[]} columns
 * @property {Metric[]} ratios of the first row to each other row
 * @property {Metric[]} [growths] from the row of the same words with a smaller number
 * @property {(bench: import("./rows.mjs").Bench) => Promise<import("./measure.mjs").Row[]>} rows
 * @property {Target[]} targets
 */

/** @type {Pick<Scenario, "needs" | "isShort" | "isCounted">} */
const long = { needs: ["image"], isShort: false, isCounted: true };
/** @type {Pick<Scenario, "needs" | "runs" | "isShort" | "isCounted" | "columns" | "ratios">} */
const short = {
  ...{ needs: [], runs: 11, isShort: true, isCounted: true },
  ...{ columns: ["wall", "cpu", "peak", "requests"], ratios: ["wall", "cpu"] },
};
/** @type {Scenario[]} */
export const scenarios = [
  {
    ...long,
    id: "push",
    group: "push",
    title: "Push a plain archive into an empty registry",
    note: "crane compresses every layer twice. skopeo compresses one layer after the other.",
    columns: ["cpu", "wall", "peak", "temp", "sent", "requests"],
    ratios: ["cpu", "wall", "sent"],
    rows: async bench =>
      coldPushes(bench, ["imgpack", ...Object.keys(compressions), ...pushers.slice(1)], {
        archive: "image",
        isEmpty: true,
        repository: () => "empty/image",
      }),
    targets: [
      against("cpu", "skopeo", 0.75),
      against("wall", ["skopeo", "crane"], 0.75),
      against("sent", "skopeo", 1),
      against("cpu", "skopeo", 0.5, "imgpack zstd:1"),
      peakTarget(),
    ],
  },
  {
    ...long,
    id: "push-packed",
    group: "packed",
    title: "Push the archive as .tar.gz, and from stdin, into an empty registry",
    note: `skopeo unpacks the archive to a temporary folder first. Without \`--tag\`, imgpack reads the archive twice. Its parts of
8 MiB, which stay in memory until the registry has them, make more requests.`,
    columns: ["cpu", "wall", "peak", "temp", "sent", "requests"],
    ratios: ["cpu", "wall", "sent"],
    rows: packedPushes,
    targets: [
      { ...against("wall", "skopeo", 0.7), text: "wall of .tar.gz against skopeo" },
      { ...against("wall", "skopeo", 0.7), text: "wall from stdin against skopeo", label: "imgpack stdin" },
      peakTarget(),
      peakTarget("imgpack stdin"),
      peakTarget("imgpack without --tag"),
      { text: "bytes in temp, .tar.gz", label: "imgpack", metric: "temp", limit: NO_BYTES },
      { text: "bytes in temp, stdin", label: "imgpack stdin", metric: "temp", limit: NO_BYTES },
    ],
  },
  {
    ...long,
    id: "push-warm",
    group: "push-warm",
    title: "Push it again to another repository, caches warm",
    note: "The digest cache saves the compression, and a mount saves the bytes.",
    columns: ["cpu", "wall", "peak", "temp", "sent", "requests"],
    ratios: ["cpu", "wall"],
    rows: async bench => {
      await prime(bench);
      return rowsOf(bench, pushers, tool => ({
        label: tool.name,
        env: cacheEnv(bench, "warm"),
        prepare: async round =>
          tool.push(
            bench.archives.image,
            `${bench.registry.host()}/again${round}/${tool.name.replaceAll(" ", "-")}:latest`,
          ),
      }));
    },
    targets: [{ ...against("wall", "skopeo", 0.1), text: "wall against skopeo's cold push", of: "push" }, peakTarget()],
  },
  {
    ...long,
    id: "push-same",
    group: "push-same",
    title: "Push it again to the same repository, caches cold",
    note: "One request shows that the tag already refers to an image with the same config.",
    columns: ["cpu", "wall", "peak", "temp", "sent", "requests"],
    ratios: ["cpu", "wall"],
    rows: async bench => {
      await prime(bench);
      return coldPushes(bench, pushers, {
        archive: "image",
        isEmpty: false,
        repository: tool => `first/${tool.replaceAll(" ", "-")}`,
      });
    },
    targets: [peakTarget()],
  },
  {
    ...long,
    id: "pull",
    group: "pull",
    title: "Pull the image into one archive",
    note: "skopeo inflates every layer. curl neither hashes nor syncs; imgpack does both.",
    columns: ["cpu", "wall", "peak", "temp", "received", "requests"],
    ratios: ["cpu", "wall"],
    rows: bench => pulls(bench, "image", pullers),
    targets: [...pullTargets, against("wall", "skopeo", 0.3)],
  },
  ...pullsOfRandomImages(),
  {
    ...long,
    needs: [],
    isCounted: false,
    id: "pull-tls",
    group: "tls",
    title: "Pull 400 MB in 4 layers over TLS, from a registry with an authority of its own",
    columns: ["cpu", "wall", "peak"],
    ratios: ["cpu", "wall"],
    rows: bench => tlsPulls(bench, "random", movers),
    targets: [against("wall", "crane", 1)],
  },
  {
    ...short,
    id: "hello-push",
    group: "hello",
    title: "Push the hello image, caches cold",
    rows: async bench => {
      await bench.registry.reset();
      bench.state.isPrimed = false;
      const repository = (/** @type {string} */ tool, /** @type {string} */ round) =>
        `hello${round}/${tool.replaceAll(" ", "-")}`;
      return coldPushes(bench, pushers, { archive: "hello", isEmpty: false, repository });
    },
    targets: [{ text: "requests", label: "imgpack", metric: "requests", limit: 7 }],
  },
  {
    ...short,
    id: "hello-push-warm",
    group: "hello",
    title: "Push the hello image again, caches warm",
    note: "Node alone takes most of this time: see the start.",
    rows: async bench => {
      await bench.registry.reset();
      bench.state.isPrimed = false;
      const reference = (/** @type {string} */ name) =>
        `${bench.registry.host()}/warm-hello/${name.replaceAll(" ", "-")}:latest`;
      for (const name of pushers) {
        const argv = bench.tools.get(name)?.push(bench.archives.hello, reference(name));
        if (argv !== undefined) await bench.workspace.run(argv, { env: cacheEnv(bench, "warm-hello") });
      }
      return rowsOf(bench, pushers, tool => ({
        label: tool.name,
        env: cacheEnv(bench, "warm-hello"),
        prepare: async () => tool.push(bench.archives.hello, reference(tool.name)),
      }));
    },
    targets: [against("cpu", "crane", 3.2), against("cpu", "crane", 2.5, executable)],
  },
  {
    ...short,
    id: "hello-pull",
    group: "hello",
    title: "Pull the hello image",
    rows: bench => pulls(bench, "hello", ["imgpack", executable, "crane", "skopeo", "oras", "regctl"]),
    targets: [
      against("cpu", "crane", 6.5),
      // Two of them look for signatures, which the others leave behind.
      { text: "requests", label: "imgpack", metric: "requests", limit: 5 },
      peakTarget("imgpack", pullPeakBytes),
    ],
  },
  {
    ...short,
    isCounted: false,
    columns: ["wall", "cpu"],
    id: "late-push",
    group: "late",
    title: `Push the hello image over a link with a round trip of ${ROUND_TRIP_MS} ms, caches cold`,
    rows: bench => latePushes(bench, "hello", pushers),
    targets: [against("wall", ["skopeo", "crane"], 1)],
  },
  {
    ...short,
    isCounted: false,
    columns: ["wall", "cpu"],
    id: "late-pull",
    group: "late",
    title: `Pull the hello image over a link with a round trip of ${ROUND_TRIP_MS} ms`,
    rows: bench => latePulls(bench, "hello", ["imgpack", executable, "crane", "skopeo", "oras"]),
    targets: [against("wall", ["crane", "skopeo", "oras"], 1)],
  },
  {
    ...long,
    needs: [],
    runs: 2,
    id: "many",
    group: "many",
    title: `${IMAGES.toLocaleString("en")} images of two small layers, in a repository each`,
    note: `skopeo sync writes a folder for each image. "lock again" finds the manifests in the cache; "pull of the lock" is the
same archive, byte for byte.`,
    columns: ["wall", "cpu", "peak", "received", "requests"],
    ratios: ["wall", "cpu"],
    rows: manyRows,
    targets: ["pull", "lock", "pull --dry-run", "inspect", "verify"].flatMap(verb => [
      against("wall", "skopeo sync", 0.5, `imgpack ${verb}`),
      peakTarget(`imgpack ${verb}`),
    ]),
  },
  ...bundleScenarios,
  ...serveScenarios,
  ...largeScenarios,
  ...paceScenarios,
  {
    ...short,
    id: "start",
    group: "start",
    title: "Start",
    runs: 15,
    isCounted: false,
    columns: ["wall", "cpu", "peak"],
    rows: async bench => [
      { label: "imgpack --version", prepare: async () => [process.execPath, bench.bin, "--version"] },
      { label: "node -e 0", prepare: async () => [process.execPath, "-e", "0"] },
    ],
    targets: [{ ...against("wall", "node -e 0", 1.2, "imgpack --version"), text: "wall against node -e 0" }],
  },
  {
    id: "memory",
    group: "memory",
    title: "Memory of an image and of one four times as large",
    needs: ["image", "large"],
    runs: 1,
    isShort: false,
    isCounted: false,
    columns: ["peak", "wall", "cpu"],
    ratios: [],
    rows: async bench => memoryRows(bench),
    targets: [
      peakTarget("push image"),
      peakTarget("push large"),
      peakTarget("pull image", pullPeakBytes),
      peakTarget("pull large", pullPeakBytes),
      { text: "peak of the large push against the image's", ...sameAs("push") },
      { text: "peak of the large pull against the image's", ...sameAs("pull") },
    ],
  },
];

/** @returns {Scenario[]} */
function pullsOfRandomImages() {
  return /** @type {const} */ ([
    ["random", "400 MB in 4 layers"],
    ["randomLarge", "2 GB in 12 layers"],
  ]).map(([archive, size]) => ({
    ...long,
    needs: [],
    isCounted: false,
    id: `pull-${archive}`,
    group: "pull-random",
    title: `Pull ${size} into one archive`,
    note: "The layers do not shrink, so the figures are those of moving, hashing and writing.",
    columns: ["cpu", "wall", "peak", "temp"],
    ratios: ["cpu", "wall"],
    rows: bench => pulls(bench, archive, movers),
    targets: pullTargets,
  }));
}
