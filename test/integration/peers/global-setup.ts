import type { TestProject } from "vitest/node";
import { buildWhenStale } from "../../../scripts/build/when-stale.mjs";
import { createTempFolder } from "./temp-folder.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** A folder of this run, which all files share. */
    readonly runFolder: string;
  }
}

/** Once per run, before all files: they run side by side, and none may see another's half-written build. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  await buildWhenStale();
  project.onTestsRerun(buildWhenStale);
  const folder = await createTempFolder();
  project.provide("runFolder", folder.path);
  return async () => await folder.remove();
}
