// @ts-check
// The rows of scenarios: what each tool is told, and the state it finds.

import { join } from "node:path";
import { remove } from "fs-extra/esm";
import { executable } from "./tools.mjs";

/** @typedef {import("./measure.mjs").Row} Row */
/** @typedef {import("./tools.mjs").Tool} Tool */

/** @typedef {"image" | "large" | "hello" | "random" | "randomLarge"} ArchiveName */

/**
 * @typedef {object} Bench
 * @property {import("./workspace.mjs").Workspace} workspace
 * @property {Map<string, Tool>} tools
 * @property {import("./registry.mjs").Registry} registry
 * @property {Record<ArchiveName, string>} archives
 * @property {string} bin
 * @property {{ isPrimed: boolean, bundle?: string, served?: string }} state isPrimed: the registry holds each tool's push of the image;
 *   bundle: the host of a registry that has the images of the bundle; served: one that has the image to serve
 * @property {(() => Promise<void>)[]} stops what the rows of this scenario have started
 */

export const pushers = ["imgpack", executable, "skopeo", "crane"];
export const pullers = ["imgpack", executable, "crane", "oras", "skopeo", "regctl", "hauler", "curl"];
/** Without those that inflate every layer. */
export const movers = pullers.filter(name => name !== "skopeo" && name !== "hauler");

/** @param {Bench} bench @param {string[]} names @param {(tool: Tool) => Row} row */
export const rowsOf = (bench, names, row) =>
  names.flatMap(name => {
    const tool = bench.tools.get(name);
    return tool === undefined ? [] : [row(tool)];
  });

/** @param {Bench} bench @param {string} name */
export const cacheEnv = (bench, name) => ({ IMGPACK_CACHE_DIR: join(bench.workspace.folder, name) });

/** Takes every tool's memory of earlier pushes away. @param {Bench} bench @param {Tool} tool */
async function forget(bench, tool) {
  await remove(join(bench.workspace.folder, "cold"));
  await tool.forget();
}

/**
 * @param {Bench} bench
 * @param {string[]} names
 * @param {{ archive: ArchiveName, isEmpty: boolean, repository: (tool: string, round: string) => string, host?: () => string }} push
 *   host: if not the registry itself
 */
export const coldPushes = (bench, names, push) =>
  rowsOf(bench, names, tool => ({
    label: tool.name,
    env: cacheEnv(bench, "cold"),
    prepare: async round => {
      await forget(bench, tool);
      if (push.isEmpty) {
        await bench.registry.reset();
        bench.state.isPrimed = false;
      }
      const name = push.repository(tool.name, round);
      return tool.push(bench.archives[push.archive], `${(push.host ?? bench.registry.host)()}/${name}:latest`);
    },
  }));

/** The image as .tar.gz: in one pass, read twice for want of a name, out of a pipe; and skopeo, which unpacks it first. @param {Bench} bench */
export async function packedPushes(bench) {
  const archive = join(bench.workspace.folder, "image.tar.gz");
  await bench.workspace.run(["sh", "-c", `gzip -1 -c "${bench.archives.image}" > "${archive}"`]);
  /** @type {[tool: string, label: string, argv: (tool: Tool, reference: string) => string[]][]} */
  const ways = [
    ["imgpack", "imgpack", (tool, reference) => tool.push(archive, reference)],
    [
      "imgpack",
      "imgpack stdin",
      (tool, reference) => ["sh", "-c", 'exec "$@" < "$0"', archive, ...tool.push("-", reference)],
    ],
    [
      "imgpack",
      "imgpack without --tag",
      (_tool, reference) => [process.execPath, bench.bin, "push", archive, "--to", reference.replace(/:[^:/]+$/, "")],
    ],
    ["skopeo", "skopeo", (tool, reference) => tool.push(archive, reference)],
  ];
  return ways.flatMap(([name, label, argv]) =>
    rowsOf(bench, [name], tool => ({
      label,
      env: cacheEnv(bench, "cold"),
      prepare: async () => {
        await forget(bench, tool);
        await bench.registry.reset();
        bench.state.isPrimed = false;
        return argv(tool, `${bench.registry.host()}/packed/image:latest`);
      },
    })),
  );
}

/** Each tool has pushed the image once, and remembers it. @param {Bench} bench */
export async function prime(bench) {
  if (bench.state.isPrimed) return;
  await bench.registry.reset();
  await remove(join(bench.workspace.folder, "warm"));
  for (const name of pushers) {
    const tool = bench.tools.get(name);
    await tool?.forget();
    const argv = tool?.push(bench.archives.image, `${bench.registry.host()}/first/${name.replaceAll(" ", "-")}:latest`);
    if (argv !== undefined) await bench.workspace.run(argv, { env: cacheEnv(bench, "warm") });
  }
  bench.state.isPrimed = true;
}

/**
 * imgpack alone, on the image and on one four times as large; each pull takes what the push before it left.
 * @param {Bench} bench
 * @returns {Row[]}
 */
export function memoryRows(bench) {
  return /** @type {const} */ (["image", "large"]).flatMap(archive => {
    const output = join(bench.workspace.folder, "memory-out");
    const pushed = coldPushes(bench, ["imgpack"], { archive, isEmpty: true, repository: () => `memory/${archive}` });
    const pulled = rowsOf(bench, ["imgpack"], tool => ({
      label: `pull ${archive}`,
      output,
      prepare: async () => tool.pull(`${bench.registry.host()}/memory/${archive}:latest`, output, []),
    }));
    return [...pushed.map(row => ({ ...row, label: `push ${archive}` })), ...pulled];
  });
}
