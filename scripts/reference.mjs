// @ts-check
// Writes docs/COMMANDS.md and the man pages from the definitions of the command line: npm run reference.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { banner, common, root } from "./build/options.mjs";

// Inside of the project, so that packages are found.
const folder = await mkdtemp(join(root, "node_modules/.reference-"));
const outfile = join(folder, "reference.mjs");
try {
  const { outdir: _, ...options } = common;
  await build({
    ...options,
    entryPoints: ["src/cli/reference/reference-files.ts"],
    outfile,
    banner,
    packages: "external",
  });
  const { MAN_FOLDER, referenceFiles } = await import(pathToFileURL(outfile).href);
  /** @param {string} name */
  const read = name => readFile(join(root, name), "utf8");
  const files = await referenceFiles(await read("package.json"), await read("CHANGELOG.md"));
  // A page of a command that is gone does not stay.
  await rm(join(root, MAN_FOLDER), { recursive: true, force: true });
  for (const [name, text] of files) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
