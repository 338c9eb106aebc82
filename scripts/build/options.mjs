// @ts-check
// What all parts of dist/ are built with.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));
const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));

/** @type {import("esbuild").Plugin} */
const slimPackages = {
  name: "slim-packages",
  setup({ onResolve }) {
    onResolve({ filter: /^string-width$/ }, () => ({ path: join(root, "scripts/slim/string-width.mjs") }));
    onResolve({ filter: /^cliui$/ }, () => ({ path: join(root, "scripts/slim/cliui.mjs") }));
  },
};

export const minified = /** @type {const} */ ({
  target: "node20.19",
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  charset: "ascii",
});

export const common = /** @type {const} @satisfies {import("esbuild").BuildOptions} */ ({
  ...minified,
  absWorkingDir: root,
  outdir: "dist",
  bundle: true,
  platform: "node",
  format: "esm",
  metafile: true,
  logLevel: "warning",
  define: { IMGPACK_VERSION: JSON.stringify(version) },
  plugins: [slimPackages],
});

/**
 * The scripts of worker threads, which are loaded by their name, and so are files of their own in every bundle.
 *
 * @returns {Promise<string[]>} relative to the project
 */
export async function threadScripts() {
  const names = await readdir(join(root, "src"), { recursive: true });
  return names
    .filter(name => /-thread\.[cm]?[jt]s$/.test(name))
    .map(name => join("src", name))
    .sort();
}

/** CommonJS packages inside an ESM bundle call require(). */
export const banner = {
  js: 'import{createRequire as $createRequire}from"node:module";const require=$createRequire(import.meta.url);',
};

/** A CommonJS file has no `import.meta.url`: a definition puts this name in its place. */
export const IMPORT_META_URL = 'const importMetaUrl=require("node:url").pathToFileURL(__filename).href;';

/**
 * libdeflate is a file of its own, which the program and a thread share.
 * @type {import("esbuild").Plugin}
 */
export const sharedLibdeflate = {
  name: "shared-libdeflate",
  setup({ onResolve }) {
    onResolve({ filter: /^libdeflate$/ }, () => ({ path: "./libdeflate.cjs", external: true }));
  },
};
