import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { run } from "./run.ts";
import { createTempFolder } from "./temp-folder.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** A folder of this run, which all files share. */
    readonly runFolder: string;
  }
}

/** Once per run, before all files: they run side by side, and none may see another's half-written build. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const root = fileURLToPath(new URL("../../../", import.meta.url));
  await buildWhenStale(root);
  project.onTestsRerun(async () => await buildWhenStale(root));
  const folder = await createTempFolder();
  project.provide("runFolder", folder.path);
  return async () => await folder.remove();
}

/** Builds the command if it is missing or older than its source. */
async function buildWhenStale(root: string): Promise<void> {
  const built = await stat(join(root, "dist/bin.cjs")).catch(() => undefined);
  const below = async (folder: string): Promise<readonly string[]> =>
    (await readdir(join(root, folder), { recursive: true })).map(name => join(folder, name));
  const times = await Promise.all(
    ["package.json", "scripts/build.mjs", ...(await below("scripts/build")), ...(await below("src"))].map(
      async name => (await stat(join(root, name))).mtimeMs,
    ),
  );
  if (built !== undefined && Math.max(...times) <= built.mtimeMs) return;
  const { code, stderr } = await run("npm", ["run", "--prefix", root, "build"], { timeoutMs: 300_000 });
  if (code !== 0) throw new Error(`Cannot build dist/: ${stderr}`);
}
