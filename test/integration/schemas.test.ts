import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { ownPackages } from "../../scripts/build/own-packages.mjs";
import { readSchema, schemaNames } from "../support/json-schemas.ts";
import { describeWith, type Probe } from "./peers/describe-with.ts";

const ROOT = join(import.meta.dirname, "../..");

/** It is no package of the project: see scripts/schemas/package.json. */
const generator: Probe = {
  name: "ts-json-schema-generator",
  missing: await ownPackages("schemas").then(
    () => undefined,
    (error: unknown) => String(error),
  ),
};

describeWith(["npm", generator], "schemas/", () => {
  test("are what npm run schemas makes of the types", async () => {
    // Inside of the project, where its formatter works.
    const folder = await mkdtemp(join(ROOT, "node_modules/.schemas-"));
    onTestFinished(async () => await rm(folder, { recursive: true, force: true }));
    const made = join(folder, "schemas");
    await promisify(execFile)("node", ["scripts/schemas.mjs", made], { cwd: ROOT });
    const names = (await readdir(made)).map(name => name.replace(".schema.json", ""));
    expect(names.sort()).toEqual([...schemaNames()].sort());
    for (const name of names) {
      expect(JSON.parse(await readFile(join(made, `${name}.schema.json`), "utf8"))).toEqual(readSchema(name));
    }
  }, 120_000);
});
