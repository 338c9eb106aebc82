import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Probe } from "../integration/peers/describe-with.ts";
import { findTool, type RunResult, run } from "../integration/peers/run.ts";
import { createTempFolder, type TempFolder } from "../integration/peers/temp-folder.ts";

export const ROOT: string = fileURLToPath(new URL("../../", import.meta.url));
/** A process in a network namespace without a route. */
export const OFFLINE: readonly string[] = ["unshare", "--map-root-user", "--net"];

export interface BuiltImage extends Probe {
  readonly folder: TempFolder;
  readonly archive: string;
  /** Debian packages that it has files of. */
  readonly packages: string;
}

/** Builds the image once for a file of tests, or says why it cannot be built here: no apt, no network, no executables. */
export async function builtImage(): Promise<BuiltImage> {
  const folder = await createTempFolder();
  const archive = join(folder.path, "image.tar");
  const packages = join(folder.path, "packages");
  return { name: "image of imgpack", missing: await build(archive, packages), folder, archive, packages };
}

async function build(archive: string, packages: string): Promise<string | undefined> {
  const absent = ["apt-get", "dpkg-deb"].find(tool => findTool(tool) === undefined);
  if (absent !== undefined) return `${absent} is not installed`;
  const files = ["x64", "arm64"].map(name => join(ROOT, "executables", `imgpack-linux-${name}`));
  if (!files.every(existsSync)) return "npm run executable -- --target linux-x64,linux-arm64";
  const { code, stderr } = await runImage(["--out", archive, "--packages", packages]);
  if (code === 0) return undefined;
  const [line = ""] = stderr.split("\n");
  if (line.startsWith("Cannot download ")) return line;
  throw new Error(stderr);
}

/** `npm run image`, with the executables that are there. @param enter words before the command. */
export async function runImage(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  enter: readonly string[] = [],
): Promise<RunResult> {
  const script = [process.execPath, "scripts/image.mjs", "--executables", "executables", ...words];
  const [command = "", ...rest] = [...enter, ...script];
  return await run(command, rest, { cwd: ROOT, env, timeoutMs: 240_000 });
}
