// @ts-check
// Makes the image that the bench moves: real files of this machine in layers of about 200 MB, saved by docker.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { opendir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureDir, remove } from "fs-extra/esm";
import { findTool, run, startOwnDockerd } from "./fixtures/processes.mjs";

const layerBytes = 200e6;
// Small steps keep a layer near its size even when a folder holds single files of 100 MB.
const largestFile = 64e6;

// One line is one kind of layer; a folder that is missing is passed over, and a kind that runs out starts again
// under another path, which is new content to every tool: no layer equals another.
const kinds = [
  { name: "libraries", folders: ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/lib64", "/usr/lib"] },
  { name: "toolchain", folders: ["/usr/lib/gcc", "/usr/libexec/gcc", "/usr/lib/llvm-14", "/usr/include", "/usr/lib"] },
  { name: "programs", folders: ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/lib"] },
  { name: "share", folders: ["/usr/lib/python3.11", "/usr/lib/python3", "/usr/share", "/usr/local/share"] },
];

/** @param {string} folder @returns {AsyncGenerator<{ path: string, key: string, size: number }>} regular files and links, sorted */
async function* walk(folder) {
  const entries = [];
  try {
    for await (const entry of await opendir(folder)) entries.push(entry);
  } catch {
    return;
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* walk(path);
    else if (entry.isSymbolicLink()) yield { path, key: path, size: 0 };
    else if (entry.isFile()) {
      const { size, dev, ino } = await stat(path);
      if (size <= largestFile) yield { path, key: `${dev}:${ino}`, size };
    }
  }
}

/**
 * @param {string[]} folders
 * @param {number} count
 * @returns {Promise<{ prefix: string, paths: string[] }[]>} for each of count layers, the files it holds
 */
async function share(folders, count) {
  const layers = [];
  let round = 0;
  let files = collect(folders);
  let paths = /** @type {string[]} */ ([]);
  let size = 0;
  let roundSize = 0;
  while (layers.length < count) {
    const { value, done } = await files.next();
    if (!done) {
      paths.push(value.path);
      size += value.size;
      roundSize += value.size;
    } else if (roundSize === 0) {
      throw new Error(`Cannot fill a layer: no files found in ${folders.join(", ")}`);
    }
    if (size >= layerBytes || (done && paths.length > 0)) {
      layers.push({ prefix: round === 0 ? "" : `copy${round}`, paths });
      paths = [];
      size = 0;
    }
    if (done) {
      round++;
      roundSize = 0;
      files = collect(folders);
    }
  }
  return layers;
}

/** @param {string[]} folders */
async function* collect(folders) {
  const seen = new Set();
  for (const folder of folders) {
    for await (const file of walk(folder)) {
      // tar stores a file with several names once (the graphics drivers are one file of 26 MB with ten names).
      if (seen.has(file.key)) continue;
      seen.add(file.key);
      yield file;
    }
  }
}

/** @param {string} folder @param {number} times @param {string} host */
async function build(folder, times, host) {
  const context = join(folder, "context");
  await remove(context);
  await ensureDir(context);
  const lines = ["FROM scratch"];
  for (const kind of kinds) {
    const layers = await share(kind.folders, times);
    for (const [index, layer] of layers.entries()) {
      const file = `${kind.name}${index}.tar`;
      const list = join(context, `${file}.list`);
      await writeFile(list, layer.paths.map(path => path.slice(1)).join("\0"));
      const transform = layer.prefix === "" ? [] : [`--transform=s,^,${layer.prefix}/,rSH`];
      await run("tar", [
        "--create",
        `--file=${join(context, file)}`,
        "--directory=/",
        "--no-recursion",
        "--numeric-owner",
        ...transform,
        "--null",
        `--files-from=${list}`,
      ]);
      await rm(list);
      lines.push(`ADD ${file} /`);
    }
  }
  lines.push('CMD ["/bin/true"]', "");
  await writeFile(join(context, "Dockerfile"), lines.join("\n"));
  // The classic builder needs no plugin and is there in every docker so far.
  const env = { DOCKER_HOST: host, DOCKER_BUILDKIT: "0" };
  const tag = times === 1 ? "imgpack-bench:latest" : `imgpack-bench:times${times}`;
  await run("docker", ["build", "--tag", tag, context], { env });
  await rm(context, { recursive: true });
  const partial = join(folder, "bench.tar.partial");
  await run("docker", ["save", "--output", partial, tag], { env });
  await run("docker", ["rmi", "--force", tag], { env });
  await rename(partial, join(folder, "bench.tar"));
}

/** @param {string} archive */
async function describe(archive) {
  const listing = await run("tar", ["--list", "--verbose", "--file", archive]);
  const sizes = new Map(
    listing
      .trimEnd()
      .split("\n")
      .map(line => line.split(/\s+/))
      .map(words => [words[5], Number(words[2])]),
  );
  const manifest = JSON.parse(await run("tar", ["--extract", "--to-stdout", "--file", archive, "manifest.json"]));
  const [image] = manifest;
  console.log(`${archive}: ${(await stat(archive)).size} bytes`);
  console.log(`image ${image.RepoTags[0]}, ${image.Layers.length} layers`);
  for (const layer of image.Layers) console.log(`  ${String(sizes.get(layer)).padStart(11)} bytes  ${layer}`);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { times: { type: "string", default: "1" }, force: { type: "boolean", default: false } },
});
const [folder] = positionals;
const times = Number(values.times);
if (folder === undefined || !Number.isInteger(times) || times < 1) {
  console.error("usage: node scripts/bench-image.mjs FOLDER [--times 4] [--force]");
  process.exitCode = 2;
} else if (process.platform !== "linux" || findTool("tar") === undefined || findTool("docker") === undefined) {
  console.error("Cannot make the bench image: GNU tar and docker are needed, on Linux");
  process.exitCode = 9;
} else {
  await ensureDir(folder);
  const archive = join(folder, "bench.tar");
  const stamp = join(folder, "bench.json");
  // The recipe's own text is part of the key, so that a changed recipe makes a new image.
  const recipe = createHash("sha256")
    .update(JSON.stringify({ version: 2, kinds, layerBytes, times }))
    .digest("hex");
  const known = existsSync(archive) && existsSync(stamp) ? JSON.parse(await readFile(stamp, "utf8")) : {};
  if (known.recipe !== recipe || values.force) {
    const own = process.env["DOCKER_HOST"] === undefined ? await startOwnDockerd() : undefined;
    try {
      await build(folder, times, own?.host ?? process.env["DOCKER_HOST"] ?? "");
    } finally {
      await own?.close();
    }
    await writeFile(stamp, `${JSON.stringify({ recipe, times })}\n`);
  }
  await describe(archive);
}
