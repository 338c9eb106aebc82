// @ts-check
// Single executables of imgpack, for machines without Node, from npm packages alone.
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ensureDir, remove } from "fs-extra/esm";
import { bundleProgram } from "./executable/bundle.mjs";
import { compileExecutable } from "./executable/compile.mjs";
import { writeSums } from "./executable/sums.mjs";
import { TARGETS } from "./executable/targets.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const usage = `usage: npm run executable -- --target TARGET [--target TARGET ...] [--out DIR]
  --target  ${TARGETS.map(({ name }) => name).join(", ")} or all
  --out     default executables/`;

try {
  const { values } = parseArgs({ options: { target: { type: "string", multiple: true }, out: { type: "string" } } });
  const names = (values.target ?? []).flatMap(list => list.split(","));
  const targets = TARGETS.filter(({ name }) => names.includes("all") || names.includes(name));
  const unknown = names.filter(name => name !== "all" && !TARGETS.some(target => target.name === name));
  if (unknown.length > 0 || targets.length === 0) {
    throw new Error(`Cannot build for ${unknown.join(", ") || "no target"}: expected one of those below`);
  }
  const out = values.out ?? join(root, "executables");
  await ensureDir(out);
  const bundle = await mkdtemp(join(tmpdir(), "imgpack-bundle-"));
  try {
    const { entry } = await bundleProgram(bundle);
    for (const target of targets) {
      const file = join(out, target.file);
      await compileExecutable(entry, target, file);
      console.log(file);
    }
    await writeSums(out);
  } finally {
    await remove(bundle);
  }
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}\n${usage}`);
  process.exitCode = 2;
}
