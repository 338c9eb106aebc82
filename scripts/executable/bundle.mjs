// @ts-check
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

/**
 * Bundles the whole command for an executable: the program in parts, so that a run loads only what it uses, and its thread
 * scripts next to it.
 *
 * @param {string} folder
 * @returns {Promise<{ entry: string, inputs: readonly string[] }>} inputs relative to the project
 */
export async function bundleProgram(folder) {
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  /** @satisfies {import("esbuild").BuildOptions} */
  const common = {
    absWorkingDir: root,
    outdir: folder,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "es2023",
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
    outExtension: { ".js": ".mjs" },
    define: { IMGPACK_VERSION: JSON.stringify(version) },
    alias: { "string-width": join(root, "scripts/string-width-slim.mjs") },
    banner: {
      js: 'import{createRequire as $createRequire}from"node:module";const require=$createRequire(import.meta.url);',
    },
  };
  const results = [
    await build({ ...common, entryPoints: ["src/bin.ts"], splitting: true, chunkNames: "[name]-[hash]" }),
    await build({ ...common, entryPoints: await threadScripts(), entryNames: "[name]" }),
  ];
  const inputs = results.flatMap(({ metafile }) => Object.keys(metafile.inputs));
  return { entry: join(folder, "bin.mjs"), inputs: [...new Set(inputs)].sort() };
}

/** By their name, as all of them are loaded by it. */
async function threadScripts() {
  const names = await readdir(join(root, "src"), { recursive: true });
  return names
    .filter(name => /-thread\.[cm]?[jt]s$/.test(name))
    .map(name => join("src", name))
    .sort();
}
