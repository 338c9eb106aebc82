// @ts-check
import { join } from "node:path";
import { build } from "esbuild";
import { writeDeflateModule } from "../build/deflate-wasm.mjs";
import { banner, common, threadScripts } from "../build/options.mjs";

/**
 * Bundles the whole command for an executable: the program in parts, so that a run loads only what it uses, and its thread
 * scripts next to it.
 *
 * @param {string} folder
 * @returns {Promise<{ entry: string, inputs: readonly string[] }>} inputs relative to the project
 */
export async function bundleProgram(folder) {
  await writeDeflateModule();
  const options = /** @type {const} */ ({ ...common, banner, outdir: folder, outExtension: { ".js": ".mjs" } });
  const results = [
    await build({ ...options, entryPoints: ["src/bin.ts"], splitting: true, chunkNames: "[name]-[hash]" }),
    await build({ ...options, entryPoints: await threadScripts(), entryNames: "[name]" }),
  ];
  const inputs = results.flatMap(({ metafile }) => Object.keys(metafile.inputs));
  return { entry: join(folder, "bin.mjs"), inputs: [...new Set(inputs)].sort() };
}
