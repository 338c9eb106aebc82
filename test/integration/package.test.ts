// The package as npm packs it, installed in an empty project: what a user's own compiler and Node make of it.
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "./peers/run.ts";
import { createTempFolder, type TempFolder } from "./peers/temp-folder.ts";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const TSC = join(ROOT, "node_modules/typescript/bin/tsc");

const USE = `
const images: readonly { readonly reference: string }[] = [];
async function use(): Promise<void> {
  const result: PushResult = await push(["hello.tar"], { onProgress: event => console.error(event.kind) });
  for (const { reference, digest } of result.images) console.log(reference, digest);
}
if (new Error() instanceof ImgpackError || images.length > 0) void use();
`;
const NAMES = "ImgpackError, type PushResult, push";

describe("the packed package", () => {
  let folder: TempFolder;

  beforeAll(async () => {
    folder = await createTempFolder();
    const installed = join(folder.path, "node_modules", "imgpack");
    await mkdir(join(folder.path, "node_modules", "@types"), { recursive: true });
    await mkdir(installed);
    const packed = await run("npm", ["pack", "--ignore-scripts", "--pack-destination", folder.path], { cwd: ROOT });
    const archive = join(folder.path, packed.stdout.trim().split("\n").at(-1) ?? "");
    const unpacked = await run("tar", ["-xzf", archive, "-C", installed, "--strip-components=1"]);
    expect([packed.code, unpacked.code]).toEqual([0, 0]);
    // What a project that runs on Node has.
    await symlink(join(ROOT, "node_modules/@types/node"), join(folder.path, "node_modules/@types/node"));
    await symlink(join(ROOT, "node_modules/undici-types"), join(folder.path, "node_modules/undici-types"));
    await writeFile(join(folder.path, "package.json"), '{"name":"user","private":true}');
  });
  afterAll(async () => await folder.remove());

  for (const [file, module, resolution] of [
    ["use.mts", "nodenext", "nodenext"],
    ["use.cts", "nodenext", "nodenext"],
    ["use.ts", "preserve", "bundler"],
  ] as const) {
    test(`${file} compiles with moduleResolution ${resolution}, declarations checked`, async () => {
      const path = join(folder.path, file);
      await writeFile(path, `import { ${NAMES} } from "imgpack";${USE}`);
      const words = [
        "--noEmit",
        "--strict",
        "--module",
        module,
        "--moduleResolution",
        resolution,
        "--target",
        "es2022",
      ];
      // Not skipLibCheck: a declaration that only compiles here would be an error there.
      const { code, stdout } = await run(process.execPath, [TSC, ...words, "--types", "node", file], {
        cwd: folder.path,
      });
      expect(stdout).toBe("");
      expect(code).toBe(0);
    });
  }

  for (const [file, text] of [
    ["run.mjs", 'import { push } from "imgpack"; console.log(typeof push);'],
    ["run.cjs", 'const { push } = require("imgpack"); console.log(typeof push);'],
  ] as const) {
    test(`${file} loads the library without a warning`, async () => {
      await writeFile(join(folder.path, file), text.replace("", ""));
      const { code, stdout, stderr } = await run(process.execPath, [file], { cwd: folder.path });
      expect(stderr).toBe("");
      expect(stdout).toBe("function\n");
      expect(code).toBe(0);
    });
  }
});
