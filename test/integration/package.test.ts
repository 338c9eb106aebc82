// The package as npm packs it, installed in an empty project: what a user's own compiler and Node make of it.
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { compile, installPackage, packPackage } from "./peers/installed-package.ts";
import { run } from "./peers/run.ts";
import { createTempFolder, type TempFolder } from "./peers/temp-folder.ts";

const USE = `
const images: readonly { readonly reference: string }[] = [];
async function use(): Promise<void> {
  const result: PushResult = await push(["hello.tar"], { onProgress: event => console.error(event.kind) });
  for (const { reference, digest } of result.images) console.log(reference, digest);
}
if (new Error() instanceof ImgpackError || images.length > 0) void use();
`;
const NAMES = "ImgpackError, type PushResult, push";
/** Code for push and pull is 226 kB of it, other code 360 kB, types 33 kB, schemas and man pages 43 kB, libdeflate 26 kB. */
const MAX_BYTES = 730_000;
const CONSUMER = new URL("package-types.mts", import.meta.url);

describe("the packed package", () => {
  let folder: TempFolder;

  beforeAll(async () => {
    folder = await installPackage();
  });
  afterAll(async () => await folder?.remove());

  for (const [file, module, resolution] of [
    ["use.mts", "nodenext", "nodenext"],
    ["use.cts", "nodenext", "nodenext"],
    ["use.ts", "preserve", "bundler"],
  ] as const) {
    test(`${file} compiles with moduleResolution ${resolution}, declarations checked`, async () => {
      await writeFile(join(folder.path, file), `import { ${NAMES} } from "imgpack";${USE}`);
      expect(await compile(folder, [file], module, resolution)).toMatchObject({ stdout: "", code: 0 });
    });
  }

  for (const [file, text] of [
    ["run.mjs", 'import { push } from "imgpack"; console.log(typeof push);'],
    ["run.cjs", 'const { push } = require("imgpack"); console.log(typeof push);'],
  ] as const) {
    test(`${file} loads the library without a warning`, async () => {
      await writeFile(join(folder.path, file), text);
      const { code, stdout, stderr } = await run(process.execPath, [file], { cwd: folder.path });
      expect(stderr).toBe("");
      expect(stdout).toBe("function\n");
      expect(code).toBe(0);
    });
  }

  test("compresses small layers and large ones, which threads compress", async () => {
    for (const bytes of [1000, 8_000_000]) {
      const root = join(folder.path, `root-${bytes}`);
      await mkdir(root);
      await writeFile(join(root, "words"), "compress me, ".repeat(bytes / 13));
      const bin = join(folder.path, "node_modules/imgpack/dist/bin.cjs");
      const { code, stderr } = await run(process.execPath, [bin, "import", root, "-t", "app:1", "-o", `${root}.tar`]);
      expect([code, stderr]).toEqual([0, expect.stringContaining("Imported image")]);
      expect((await stat(`${root}.tar`)).size).toBeLessThan(200_000);
    }
  });

  test("has few files, and no more bytes than it needs", async () => {
    const names = (await readdir(join(folder.path, "node_modules/imgpack"), { recursive: true })).sort();
    const files = names.filter(name => /^(dist|docs|src|scripts|test)\//.test(name));
    expect(files).toEqual([
      "dist/THIRD-PARTY-LICENSES.txt",
      "dist/bcrypt-thread.mjs",
      "dist/bin.cjs",
      "dist/gzip-thread.mjs",
      "dist/hash-thread.mjs",
      "dist/index.d.ts",
      "dist/index.js",
      "dist/libdeflate.cjs",
      "dist/libdeflate.wasm.br",
      "dist/program-gzip.cjs",
      "dist/program-list.cjs",
      "dist/program-more.cjs",
      "dist/program-rare.cjs.br",
      "dist/program-refused.cjs.br",
      "dist/program-v1.cjs.br",
      "dist/program-yaml.cjs.br",
      "dist/program.cjs",
      "dist/sbom.spdx.json",
    ]);
    const archive = (await readdir(folder.path)).find(name => name.endsWith(".tgz")) ?? "";
    expect((await stat(join(folder.path, archive))).size).toBeLessThan(MAX_BYTES);
  });

  test("a caller can name every type that an option, a result or an event contains", async () => {
    const consumer = await readFile(CONSUMER, "utf8");
    await writeFile(join(folder.path, "types.mts"), consumer);
    expect(await compile(folder, ["types.mts"])).toMatchObject({ stdout: "", code: 0 });
    const unnamed = (await exportedNames(folder)).filter(name => !new RegExp(`\\b${name}\\b`).test(consumer));
    expect(unnamed).toEqual([]);
  });

  test("every function has an example that compiles", async () => {
    const functions = (await exportedNames(folder)).filter(name => /^[a-z]/.test(name));
    const examples = examplesIn(await typesOf(folder));
    const files = [...examples].map(([name, text]) => [`example-${name}.mts`, text] as const);
    for (const [file, text] of files) await writeFile(join(folder.path, file), text);
    expect([...examples.keys()].sort()).toEqual(functions.map(name => (name === "serve" ? "serveRegistry" : name)));
    const { code, stdout } = await compile(
      folder,
      files.map(([file]) => file),
    );
    expect(stdout).toBe("");
    expect(code).toBe(0);
  });
});

test("npm installs the package without a registry, with its man pages, and ls and sbom list what is bundled in it", async () => {
  const folder = await createTempFolder();
  onTestFinished(() => folder.remove());
  const npm = async (...words: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await run("npm", words, { cwd: folder.path });
    expect([words, code, code === 0 ? "" : stderr]).toEqual([words, 0, ""]);
    return stdout;
  };
  const archive = await packPackage(folder.path);
  await writeFile(join(folder.path, "package.json"), '{"name":"user","version":"1.0.0","private":true}');
  await npm("install", "--offline", "--no-audit", "--no-fund", archive);
  // man finds what is linked there.
  const prefix = join(folder.path, "prefix");
  await npm("install", "--global", "--prefix", prefix, "--offline", "--no-audit", "--no-fund", archive);
  const linked = await readdir(join(prefix, "share/man"), { recursive: true });
  const pages = await readdir(new URL("../../man", import.meta.url));
  expect(linked.filter(name => /\.\d$/.test(name)).sort()).toEqual(
    pages.map(name => `man${name.at(-1)}/${name}`).sort(),
  );
  const licences = await readFile(join(folder.path, "node_modules/imgpack/dist/THIRD-PARTY-LICENSES.txt"), "utf8");
  const bundled = [...licences.matchAll(/^(\S+) (\d\S+) \(.+\)$/gm)]
    .map(([, name, version]) => `${name}@${version}`)
    .sort();
  expect(bundled).toContain("yargs@18.2.0");
  const listed = (await npm("ls", "--all", "--parseable", "--long")).split("\n").map(line => line.split(":")[1]);
  expect([...new Set(listed)].filter(name => name && !/^(user|imgpack)@/.test(name)).sort()).toEqual(bundled);
  const own = join(folder.path, "node_modules/imgpack/dist/sbom.spdx.json");
  for (const text of [await npm("sbom", "--sbom-format", "spdx"), await readFile(own, "utf8")]) {
    const { packages } = JSON.parse(text) as { packages: { name: string; versionInfo: string }[] };
    const names = packages.map(({ name, versionInfo }) => `${name}@${versionInfo}`);
    expect(names.filter(name => !/^(user|imgpack)@/.test(name)).sort()).toEqual(bundled);
  }
});

const typesOf = async (folder: TempFolder): Promise<string> =>
  await readFile(join(folder.path, "node_modules/imgpack/dist/index.d.ts"), "utf8");

/** What `dist/index.d.ts` exports, sorted. */
async function exportedNames(folder: TempFolder): Promise<readonly string[]> {
  const lists = [...(await typesOf(folder)).matchAll(/export (?:type )?\{([^}]*)\}/g)].map(([, list = ""]) => list);
  const names = lists.flatMap(list => list.split(",").map(name => name.trim().replace(/^type |^[\w$]+ as /, "")));
  return names.filter(Boolean).sort();
}

/** The code of `@example` by the function that it stands before. */
function examplesIn(types: string): ReadonlyMap<string, string> {
  const pattern = /@example\n \* ```ts\n((?: \*.*\n)*?) \* ```\n \*\/\ndeclare function (\w+)/g;
  const found = [...types.matchAll(pattern)];
  return new Map(found.map(([, example = "", name = ""]) => [name, example.replaceAll(/^ \* ?/gm, "")]));
}
