// @ts-check
// A synthetic registry in a process of its own.
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const entry = fileURLToPath(new URL("../../test/support/synthetic/serve-synthetic.ts", import.meta.url));

/**
 * @typedef {object} Synthetic
 * @property {string} host "127.0.0.1:port"
 * @property {(work: () => Promise<unknown>) => Promise<import("./counting-proxy.mjs").Counts>} count
 * @property {() => Promise<void>} forget what was pushed
 */

/**
 * Runs until the rows of the scenario have been measured.
 *
 * @param {import("./rows.mjs").Bench} bench
 * @param {Partial<import("../../test/support/synthetic/synthetic-shape.ts").SyntheticShape>} shape
 * @returns {Promise<Synthetic>}
 */
export async function startSynthetic({ workspace, stops }, shape) {
  const program = join(workspace.folder, "serve-synthetic.mjs");
  const how = /** @type {const} */ ({ bundle: true, platform: "node", format: "esm", logLevel: "error" });
  await build({ ...how, entryPoints: [entry], outfile: program });
  const child = workspace.start([process.execPath, program, JSON.stringify(shape)]);
  stops.push(async () => {
    child.kill("SIGTERM");
    await child.ended;
  });
  let status = /** @type {number | undefined} */ (undefined);
  void child.ended.then(code => {
    status = code;
  });
  while (!child.stdout().includes("\n")) {
    if (status !== undefined)
      throw new Error(`Cannot start the synthetic registry: status ${status}\n${child.stderr()}`);
    await delay(20);
  }
  const host = child.stdout().trim();
  const control = async (/** @type {string} */ method, /** @type {string} */ name) => {
    const response = await fetch(`http://${host}/synthetic/${name}`, { method });
    return await response.json();
  };
  return {
    host,
    count: async work => {
      await control("DELETE", "counts");
      await work();
      return /** @type {import("./counting-proxy.mjs").Counts} */ (await control("GET", "counts"));
    },
    forget: async () => void (await control("DELETE", "pushed")),
  };
}
