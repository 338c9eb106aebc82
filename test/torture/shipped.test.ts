import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

describe("the hook in what ships", () => {
  test("dist/ has the hook, and nothing in it can install a watcher", async () => {
    const names = (await readdir(join(ROOT, "dist"))).filter(name => /\.[cm]?js(\.br)?$/.test(name));
    const text = (await Promise.all(names.map(async name => await textOf(join(ROOT, "dist", name))))).join("\n");
    expect(text).toContain('kind:"sync-folder"');
    expect(text).not.toMatch(/watchOperations|IMGPACK_TORTURE/);
  });

  test("src/ nowhere calls watchOperations", async () => {
    const names = (await readdir(join(ROOT, "src"), { recursive: true })).filter(name => /\.m?ts$|\.mjs$/.test(name));
    const found: string[] = [];
    for (const name of names) {
      if ((await readFile(join(ROOT, "src", name), "utf8")).includes("watchOperations")) found.push(name);
    }
    expect(found).toEqual([join("util", "operation-hook.ts")]);
  });

  test("the package holds no file of the tests", async () => {
    const { files } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { files: readonly string[] };
    expect(files).toEqual(["dist", "man", "schemas", "README.md", "LICENSE"]);
  });
});

async function textOf(path: string): Promise<string> {
  const bytes = await readFile(path);
  return (path.endsWith(".br") ? brotliDecompressSync(bytes) : bytes).toString("utf8");
}
