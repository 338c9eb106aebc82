// @ts-check
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { licenceTexts } from "../build/bundled-packages.mjs";
import { RUNTIME_PARTS } from "./runtime-parts.mjs";
import { pinnedRuntime } from "./runtimes.mjs";
import { TARGETS } from "./targets.mjs";

const folder = dirname(fileURLToPath(import.meta.url));
const RULE = `\n${"=".repeat(80)}\n\n`;

/**
 * The licences of all that is in the executables.
 *
 * @param {readonly import("../build/bundled-packages.mjs").BundledPackage[]} packages
 */
export async function notices(packages) {
  const [{ version }, own, lgpl] = await Promise.all([
    pinnedRuntime(TARGETS[0]?.runtime ?? ""),
    readFile(join(folder, "../../LICENSE"), "utf8"),
    readFile(join(folder, "LGPL-2.1.txt"), "utf8"),
  ]);
  const parts = RUNTIME_PARTS.map(([name, license, source]) => `  ${name} (${license})\n    ${source}\n`).join("");
  const runtime = `bun ${version} (MIT), https://github.com/oven-sh/bun, contains:

${parts}
The texts and copyright notices of these licences are in the sources that are named, and in bun's LICENSE.md.

JavaScriptCore, WebCore and tinycc are under the GNU Lesser General Public License, whose text follows. You may change
them: build bun with your changes as its LICENSE.md says, then build imgpack with it from imgpack's sources, which are
under the Apache License 2.0. scripts/executable/compile.mjs names the runtime in --compile-executable-path.
`;
  return ["imgpack\n\n", own, RULE, "Packages in imgpack\n\n", licenceTexts(packages), RULE, runtime, RULE, lgpl].join(
    "",
  );
}
