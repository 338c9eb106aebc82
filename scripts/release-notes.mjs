// @ts-check
// Prints what CHANGELOG.md says of a version, as the text of its release.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./build/options.mjs";
import { sectionOf } from "./release/section-of.mjs";

const [version, ...others] = process.argv.slice(2);
try {
  if (version === undefined || others.length > 0) throw new Error("usage: npm run release-notes -- VERSION");
  console.log(sectionOf(await readFile(join(root, "CHANGELOG.md"), "utf8"), version));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
