// @ts-check
// Runs a TypeScript file of test/support, which Node 20 cannot.
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { banner, common, root } from "./options.mjs";

/** @param {string} entry relative to the project */
export async function runTypeScript(entry) {
  // Inside of the project, so that packages are found.
  const folder = await mkdtemp(join(root, "node_modules/.run-"));
  const outfile = join(folder, "run.mjs");
  try {
    const { outdir: _, ...options } = common;
    await build({ ...options, entryPoints: [entry], outfile, banner, packages: "external" });
    await import(pathToFileURL(outfile).href);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
