// @ts-check
// Single executables of imgpack, for machines without Node, from npm packages alone.
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureDir, remove } from "fs-extra/esm";
import { bundledPackages } from "./build/bundled-packages.mjs";
import { root } from "./build/options.mjs";
import { bundleProgram } from "./executable/bundle.mjs";
import { compileExecutable } from "./executable/compile.mjs";
import { notices } from "./executable/notices.mjs";
import { executableSbom } from "./executable/sbom.mjs";
import { writeSums } from "./executable/sums.mjs";
import { TARGETS } from "./executable/targets.mjs";
import { packageSbom, stageManifest } from "./package/stage.mjs";

const usage = `usage: npm run executable -- --target TARGET[,TARGET...] [--out DIR]
  --target  ${TARGETS.map(({ name }) => name).join(", ")} or all
  --out     default executables/`;

/** @param {readonly string[]} names */
function chosenTargets(names) {
  const unknown = names.filter(name => name !== "all" && !TARGETS.some(target => target.name === name));
  if (unknown.length === 0 && names.length > 0) {
    return TARGETS.filter(({ name }) => names.includes("all") || names.includes(name));
  }
  throw new Error(`Cannot build for ${unknown.join(", ") || "no target"}: expected one of those below\n${usage}`);
}

/**
 * @param {readonly import("./executable/targets.mjs").Target[]} targets
 * @param {string} out
 */
async function build(targets, out) {
  const folder = await mkdtemp(join(tmpdir(), "imgpack-bundle-"));
  try {
    const { entry, inputs } = await bundleProgram(join(folder, "bundle"));
    const packages = await bundledPackages(inputs);
    await stageManifest(folder, packages);
    const sbom = await packageSbom(folder);
    await writeFile(join(out, "imgpack-licenses.txt"), await notices(packages));
    for (const target of targets) {
      const file = join(out, target.file);
      await compileExecutable(entry, target, file);
      const text = JSON.stringify(await executableSbom(sbom, target), null, 2);
      await writeFile(join(out, `imgpack-${target.name}.spdx.json`), `${text}\n`);
      console.log(file);
    }
  } finally {
    await remove(folder);
  }
  await writeSums(out);
}

try {
  const { values } = parseArgs({ options: { target: { type: "string", multiple: true }, out: { type: "string" } } });
  const targets = chosenTargets((values.target ?? []).flatMap(list => list.split(",")));
  const out = values.out ?? join(root, "executables");
  await ensureDir(out);
  await build(targets, out);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
