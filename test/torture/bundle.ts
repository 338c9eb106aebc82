import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build, type Plugin } from "esbuild";
import { executable } from "../support/command.ts";

const run = promisify(execFile);
const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/**
 * Limits made small, so that images of a few megabytes meet what in the shipped command takes hundreds; no threads for
 * blobs of that size, which cost a run a third of its time; and a system that can be told that it was started anew.
 */
const CHANGED: Readonly<Record<string, readonly [pattern: RegExp, replacement: string]>> = {
  "src/archive/partial/partial-archive.ts": [/(?<=\bCHECKPOINT_BYTES = )64 \* 1024 \* 1024;/, "2 * 1024 * 1024;"],
  "src/registry/upload/upload-journal.ts": [/(?<=\bMIN_BYTES = )16 \* 1024 \* 1024;/, "1024 * 1024;"],
  "src/util/lock/process-identity.ts": [
    /"\/proc\/sys\/kernel\/random\/boot_id"/,
    'process.env["IMGPACK_TORTURE_BOOT"] ?? "/proc/sys/kernel/random/boot_id"',
  ],
  "src/content/blob-hash.ts": [/(?<=\bINLINE_BYTES = )1024 \* 1024;/, "64 * 1024 * 1024;"],
};

const changeSources: Plugin = {
  name: "change-sources",
  setup({ onLoad }) {
    for (const [file, [pattern, replacement]] of Object.entries(CHANGED)) {
      onLoad({ filter: new RegExp(`/${file.replaceAll(".", "\\.")}$`) }, async ({ path }) => {
        const text = await readFile(path, "utf8");
        if (!pattern.test(text)) throw new Error(`Cannot change a source: ${file} has no ${pattern}`);
        return { contents: text.replace(pattern, replacement), loader: "ts" };
      });
    }
  },
};

const SHARED = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: "node",
  target: "node20.19",
  minifySyntax: true,
  minifyWhitespace: true,
  logLevel: "error",
} as const;

/**
 * Bundles the command under torture into `folder`; with IMGPACK_BIN, as an executable of the same runtime. What ships has
 * no watcher.
 *
 * @returns the words that start it.
 */
export async function bundleTorture(folder: string): Promise<readonly [file: string, ...words: string[]]> {
  const banner =
    'import{createRequire as $createRequire}from"node:module";const require=$createRequire(import.meta.url);';
  const modules = {
    ...SHARED,
    outdir: folder,
    format: "esm",
    outExtension: { ".js": ".mjs" },
    banner: { js: banner },
  } as const;
  await build({
    ...modules,
    entryPoints: ["src/compress/gzip/gzip-thread.mjs", "src/content/hash-thread.mjs"],
    entryNames: "[name]",
  });
  if (executable === undefined) return [process.execPath, await bundleForNode(folder)];
  const entry = join(folder, "torture-bin.mjs");
  await build({
    ...modules,
    entryPoints: ["test/torture/torture-bin.ts"],
    entryNames: "[name]",
    splitting: true,
    plugins: [changeSources],
  });
  const file = join(folder, "imgpack-torture");
  await run(process.execPath, [join(ROOT, "scripts/executable/compile.mjs"), entry, file]);
  return [file];
}

/** One file, which is started as the package is: with what V8 compiled of it in an earlier run. @returns its launcher. */
async function bundleForNode(folder: string): Promise<string> {
  const common = { ...SHARED, format: "cjs", supported: { "dynamic-import": false } } as const;
  await build({
    ...common,
    entryPoints: ["test/torture/torture-bin.ts"],
    outfile: join(folder, "program.cjs"),
    define: { "import.meta.url": "importMetaUrl" },
    // As the launcher runs it.
    banner: {
      js: '(function(exports,require,module,__filename,__dirname){const importMetaUrl=require("node:url").pathToFileURL(__filename).href;',
    },
    footer: { js: "})" },
    plugins: [changeSources],
  });
  const launcher = join(folder, "torture-bin.cjs");
  await build({ ...common, entryPoints: ["test/torture/cached-start.ts"], outfile: launcher });
  return launcher;
}
