// @ts-check
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ensureDir, pathExists, remove } from "fs-extra/esm";

const run = promisify(execFile);
const folder = dirname(fileURLToPath(import.meta.url));

/** @typedef {{ readonly version: string, readonly integrity: string, readonly license: string }} Pinned */

/**
 * What the lock says of a runtime.
 * @param {string} name
 * @returns {Promise<Pinned>}
 */
export async function pinnedRuntime(name) {
  const { packages } = JSON.parse(await readFile(join(folder, "package-lock.json"), "utf8"));
  const pinned = packages[`node_modules/${name}`];
  if (pinned === undefined) throw new Error(`Cannot find ${name} in ${join(folder, "package-lock.json")}`);
  return pinned;
}

/**
 * The program of a runtime package. npm fetches the package when it is absent here: it would leave out what is not for
 * this platform if it installed the lock.
 *
 * @param {string} name
 * @returns {Promise<string>} its path
 */
export async function runtimePath(name) {
  const { version, integrity } = await pinnedRuntime(name);
  const home = join(folder, "node_modules", name, version);
  const program = join(home, "bin", name.includes("windows") ? "bun.exe" : "bun");
  if (await pathExists(program)) return program;
  const parent = dirname(home);
  await ensureDir(parent);
  const unpacked = await mkdtemp(join(parent, "unpacking-"));
  try {
    const words = ["pack", `${name}@${version}`, "--prefer-offline", "--silent", "--pack-destination", unpacked];
    const { stdout } = await run("npm", words, { cwd: unpacked });
    const tarball = join(unpacked, stdout.trim());
    const found = `sha512-${createHash("sha512")
      .update(await readFile(tarball))
      .digest("base64")}`;
    if (found !== integrity) {
      throw new Error(`Cannot use ${name} ${version}: it has the integrity ${found}, expected ${integrity}`);
    }
    await run("tar", ["-xzf", tarball, "-C", unpacked]);
    await rename(join(unpacked, "package"), home).catch(async error => {
      // Another build was faster.
      if (!(await pathExists(program))) throw error;
    });
  } finally {
    await remove(unpacked);
  }
  return program;
}
