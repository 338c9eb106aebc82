// @ts-check
// The declarations of the library in one file: those of src/ would be a thousand, most of which no one can import.
import { execFile } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { remove } from "fs-extra/esm";
import { rollup } from "rollup";
import { dts } from "rollup-plugin-dts";
import { root } from "./options.mjs";

/** Writes dist/index.d.ts. */
export async function buildTypes() {
  const folder = await mkdtemp(join(tmpdir(), "imgpack-types-"));
  try {
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    await promisify(execFile)(process.execPath, [tsc, "-p", "tsconfig.build.json", "--outDir", folder], { cwd: root });
    const bundle = await rollup({ input: join(folder, "index.d.ts"), plugins: [dts()], external: /^node:/ });
    await bundle.write({ file: join(root, "dist/index.d.ts"), format: "es" });
    await bundle.close();
  } finally {
    await remove(folder);
  }
}
