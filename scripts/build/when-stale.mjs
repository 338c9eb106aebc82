// @ts-check
import { execFile } from "node:child_process";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { root } from "./options.mjs";

/** Builds dist/ if it is missing or older than what it is made of. */
export async function buildWhenStale() {
  const built = await stat(join(root, "dist/bin.cjs")).catch(() => undefined);
  const inputs = ["package.json", "scripts/build.mjs", ...(await below("scripts/build")), ...(await below("src"))];
  const times = await Promise.all(inputs.map(async name => (await stat(join(root, name))).mtimeMs));
  if (built !== undefined && Math.max(...times) <= built.mtimeMs) return;
  await promisify(execFile)(process.execPath, [join(root, "scripts/build.mjs")]);
}

/** @param {string} folder */
async function below(folder) {
  return (await readdir(join(root, folder), { recursive: true })).map(name => join(folder, name));
}
