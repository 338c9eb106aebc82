// @ts-check
// Bundles the CLI and the library into dist/: start-up time is mostly the number of files loaded.
import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { remove } from "fs-extra/esm";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));

/** @type {import("esbuild").Plugin} */
const slimPackages = {
  name: "slim-packages",
  setup({ onResolve }) {
    onResolve({ filter: /^string-width$/ }, () => ({ path: join(root, "scripts/string-width-slim.mjs") }));
  },
};

/** @type {import("esbuild").BuildOptions} */
const common = {
  absWorkingDir: root,
  outdir: "dist",
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20.19",
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
  define: { IMGPACK_VERSION: JSON.stringify(version) },
  plugins: [slimPackages],
  // CommonJS packages inside an ESM bundle call require().
  banner: {
    js: 'import{createRequire as $createRequire}from"node:module";const require=$createRequire(import.meta.url);',
  },
};

await remove(join(root, "dist"));
const builds = [
  await build({ ...common, entryPoints: ["src/bin.ts", "src/index.ts"], splitting: true, chunkNames: "[name]-[hash]" }),
  await build({
    ...common,
    entryPoints: ["src/compress/gzip/gzip-thread.mjs", "src/content/hash-thread.mjs"],
    entryNames: "[name]",
    outExtension: { ".js": ".mjs" },
  }),
];
await chmod(join(root, "dist/bin.js"), 0o755);
await writeFile(join(root, "dist/THIRD-PARTY-LICENSES.txt"), await licences(builds));

/**
 * The licence texts of every package that is part of the bundle.
 * @param {readonly import("esbuild").BuildResult[]} results
 */
async function licences(results) {
  const inputs = results.flatMap(({ metafile }) => Object.keys(metafile?.inputs ?? {}));
  const packages = new Set(inputs.flatMap(input => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? []));
  const texts = [];
  for (const name of [...packages].sort()) {
    const folder = join(root, "node_modules", name);
    const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const file = (await readdir(folder)).find(entry => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? "" : await readFile(join(folder, file), "utf8");
    texts.push(`${name} ${version} (${license})\n\n${text.trim()}\n`);
  }
  return texts.join(`\n${"-".repeat(80)}\n\n`);
}
