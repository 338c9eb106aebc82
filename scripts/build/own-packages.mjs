// @ts-check
import { spawnSync } from "node:child_process";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./options.mjs";

/**
 * Installs what the lock of a folder of scripts/ names, if it is not there yet: what the project itself cannot have, as
 * it wants another TypeScript or a newer Node.
 *
 * @param {string} name of the folder
 * @returns the folder of the packages
 */
export async function ownPackages(name) {
  const folder = join(root, "scripts", name);
  const lock = await stat(join(folder, "package-lock.json"));
  // npm writes this one last.
  const installed = await stat(join(folder, "node_modules/.package-lock.json")).catch(() => undefined);
  if (installed === undefined || installed.mtimeMs < lock.mtimeMs) {
    const { status } = spawnSync("npm", ["ci", "--prefix", folder, "--silent"], { stdio: "inherit" });
    if (status !== 0) throw new Error(`Cannot install the packages of ${folder}: status ${status}, expected 0`);
  }
  return join(folder, "node_modules");
}
