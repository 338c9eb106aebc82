// @ts-check
import { execFile } from "node:child_process";
import { mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { move, remove } from "fs-extra/esm";
import { runtimePath } from "./runtimes.mjs";
import { BUILDER, TARGETS } from "./targets.mjs";

const run = promisify(execFile);

const FLAGS = [
  "--compile",
  "--minify",
  "--format=esm",
  // A part is parsed when it is loaded.
  "--splitting",
  // A file in the folder where it is started must not decide what it does.
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
  "--no-compile-autoload-tsconfig",
  "--no-compile-autoload-package-json",
];

/**
 * Makes one self-contained file of a bundled command and the thread scripts next to it.
 *
 * @param {string} entry
 * @param {import("./targets.mjs").Target} target
 * @param {string} file
 */
export async function compileExecutable(entry, target, file) {
  const bundle = dirname(entry);
  const threads = (await readdir(bundle)).filter(name => /-thread\.[cm]?js$/.test(name)).sort();
  const [builder, runtime] = [await runtimePath(BUILDER), await runtimePath(target.runtime)];
  const folder = await mkdtemp(join(tmpdir(), "imgpack-executable-"));
  try {
    const words = [
      ...[
        "build",
        ...FLAGS,
        ...(target.hasBytecode ? ["--bytecode"] : []),
        `--target=${target.bunTarget}`,
        `--compile-executable-path=${runtime}`,
      ],
      ...[basename(entry), ...threads, `--outfile=${join(folder, basename(file))}`],
    ];
    // Relative names, and an environment of its own: neither paths nor variables of this machine may be in the file.
    await run(builder, words, { cwd: bundle, env: { PATH: process.env["PATH"], HOME: folder, TMPDIR: folder } });
    await move(join(folder, basename(file)), resolve(file), { overwrite: true });
  } finally {
    await remove(folder);
  }
}

// For tests, which bundle the program with more in it: node compile.mjs ENTRY FILE
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , entry = "", file = ""] = process.argv;
  const here = TARGETS.find(({ name }) => name === `linux-${process.arch}`);
  if (here === undefined) throw new Error(`Cannot compile for linux-${process.arch}: no such target`);
  await compileExecutable(entry, here, file);
}
