// @ts-check
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ensureDir, move, outputFile, remove } from "fs-extra/esm";

const run = promisify(execFile);

/**
 * What the image takes files from, and the licence of most of it; the last has the copyright of libgcc-s1.
 * @type {readonly (readonly [name: RegExp, license: string])[]}
 */
const PACKAGES = [
  [/^base-files$/, "GPL-2.0-or-later"],
  [/^ca-certificates$/, "GPL-2.0-or-later AND MPL-2.0"],
  [/^libc6$/, "LGPL-2.1-or-later"],
  [/^libgcc-s1$/, "GPL-3.0-or-later WITH GCC-exception-3.1"],
  [/^gcc-\d+-base$/, "GPL-3.0-or-later WITH GCC-exception-3.1"],
];

/**
 * @typedef DebianPackage
 * @property {string} name
 * @property {string} version
 * @property {string} architecture
 * @property {string} license in SPDX's words
 * @property {string} control as dpkg keeps it
 * @property {string} sha256 of its file
 * @property {string} files folder with what is in it
 */

/**
 * The packages of an architecture. Those that the folder does not have are downloaded into it.
 *
 * @param {string} architecture
 * @param {string} folder
 * @param {string} unpacked folder for their files
 * @returns {Promise<readonly DebianPackage[]>} in the order of their names
 */
export async function debianPackages(architecture, folder, unpacked) {
  await ensureDir(folder);
  if ((await archives(folder)).length < PACKAGES.length) await download(architecture, folder);
  const found = await Promise.all(
    (await archives(folder)).map(async file => await unpack(join(folder, file), join(unpacked, file))),
  );
  const names = found.map(({ name }) => name);
  const isWhole = PACKAGES.every(([pattern]) => names.filter(name => pattern.test(name)).length === 1);
  if (isWhole && names.length === PACKAGES.length) return found;
  const expected = PACKAGES.map(([pattern]) => pattern.source.slice(1, -1)).join(", ");
  throw new Error(`Cannot use ${folder}: found the packages ${names.join(", ")}, expected one each of ${expected}`);
}

/** @param {string} folder */
async function archives(folder) {
  return (await readdir(folder)).filter(file => file.endsWith(".deb")).sort();
}

/**
 * In the versions that apt offers on this machine; apt checks their signatures and sums. It gets lists of its own: those of
 * the machine are for its own architecture.
 *
 * @param {string} architecture
 * @param {string} folder
 */
async function download(architecture, folder) {
  const state = await mkdtemp(join(tmpdir(), "imgpack-apt-"));
  const options = [
    `APT::Architecture=${architecture}`,
    `APT::Architectures=${architecture}`,
    `Dir::State::lists=${join(state, "lists")}`,
    "Dir::State::status=/dev/null",
    `Dir::Cache=${join(state, "cache")}`,
    "APT::Sandbox::User=root",
  ].flatMap(option => ["-o", option]);
  try {
    await Promise.all(["lists/partial", "cache/archives/partial"].map(name => ensureDir(join(state, name))));
    await run("apt-get", [...options, "-qq", "update"]);
    const { stdout } = await run("apt-cache", [...options, "--no-all-versions", "show", "libgcc-s1"]);
    const [base = ""] = /gcc-\d+-base/.exec(stdout) ?? [];
    const names = ["base-files", "ca-certificates", "libc6", "libgcc-s1", base];
    await run("apt-get", [...options, "-qq", "download", ...names], { cwd: state });
    for (const file of await archives(state)) await move(join(state, file), join(folder, file), { overwrite: true });
  } catch (error) {
    const { stderr } = /** @type {{ stderr?: string }} */ (error);
    throw new Error(`Cannot download Debian packages for ${architecture}: ${stderr?.trim() || error}`);
  } finally {
    await remove(state);
  }
}

/**
 * @param {string} file
 * @param {string} files
 * @returns {Promise<DebianPackage>}
 */
async function unpack(file, files) {
  await ensureDir(files);
  // "dpkg-deb --extract" sets owners, which a user namespace may not have.
  const { stdout: tar } = await run("dpkg-deb", ["--fsys-tarfile", file], { encoding: "buffer", maxBuffer: 2 ** 28 });
  await outputFile(`${files}.tar`, tar);
  await run("tar", ["-xf", `${files}.tar`, "-C", files, "--no-same-owner"]);
  const { stdout: control } = await run("dpkg-deb", ["--field", file]);
  const field = (/** @type {string} */ name) => new RegExp(`^${name}: (.*)$`, "m").exec(control)?.[1] ?? "";
  const sha256 = createHash("sha256")
    .update(await readFile(file))
    .digest("hex");
  const [name, version, architecture] = [field("Package"), field("Version"), field("Architecture")];
  const [, license = "NOASSERTION"] = PACKAGES.find(([pattern]) => pattern.test(name)) ?? [];
  return { name, version, architecture, license, control, sha256, files };
}
