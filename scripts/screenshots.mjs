// @ts-check
// Takes pictures of the pages that people see, in a folder: npm run screenshots -- FOLDER. It needs Debian's chromium.
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { banner, common, root } from "./build/options.mjs";

// Inside of the project, so that packages are found.
const folder = await mkdtemp(join(root, "node_modules/.screenshots-"));
const outfile = join(folder, "take.mjs");
try {
  const { outdir: _, ...options } = common;
  await build({
    ...options,
    entryPoints: ["test/support/pages/take-screenshots.ts"],
    outfile,
    banner,
    packages: "external",
  });
  await import(pathToFileURL(outfile).href);
} finally {
  await rm(folder, { recursive: true, force: true });
}
