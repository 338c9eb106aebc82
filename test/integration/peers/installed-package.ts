import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureDir } from "fs-extra/esm";
import { run } from "./run.ts";
import { createTempFolder, type TempFolder } from "./temp-folder.ts";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");

/** @returns the archive that npm packs, in `folder`. */
export async function packPackage(folder: string): Promise<string> {
  const staged = join(folder, "staged");
  const stage = await run(process.execPath, [join(ROOT, "scripts/package.mjs"), staged]);
  const packed = await run("npm", ["pack", staged, "--silent", "--pack-destination", folder]);
  if (stage.code !== 0 || packed.code !== 0) throw new Error(`${stage.stderr}${packed.stderr}`);
  return join(folder, packed.stdout.trim());
}

/** An empty project with the package as npm packs it, and with what a project that runs on Node has. */
export async function installPackage(): Promise<TempFolder> {
  const folder = await createTempFolder();
  const modules = join(folder.path, "node_modules");
  const installed = join(modules, "imgpack");
  await ensureDir(join(modules, "@types"));
  await mkdir(installed);
  const archive = await packPackage(folder.path);
  const unpacked = await run("tar", ["-xzf", archive, "-C", installed, "--strip-components=1"]);
  if (unpacked.code !== 0) throw new Error(unpacked.stderr);
  await symlink(join(ROOT, "node_modules/@types/node"), join(modules, "@types/node"));
  await symlink(join(ROOT, "node_modules/undici-types"), join(modules, "undici-types"));
  await writeFile(join(folder.path, "package.json"), '{"name":"user","private":true}');
  return folder;
}

/** Compiles files of such a project; stdout has the errors. */
export async function compile(
  folder: TempFolder,
  files: readonly string[],
  module = "nodenext",
  resolution = "nodenext",
): Promise<{ readonly code: number; readonly stdout: string }> {
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  // Not skipLibCheck: a declaration that only compiles here would be an error there.
  const words = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--module", module];
  words.push("--moduleResolution", resolution, "--target", "es2022", "--types", "node");
  return await run(process.execPath, [tsc, ...words, ...files], { cwd: folder.path });
}
