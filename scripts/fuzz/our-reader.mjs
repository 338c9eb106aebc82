// @ts-check
// The readers under test, by position and in passing, bundled from src, so that no build has to come first.
import { createHash } from "node:crypto";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { remove } from "fs-extra/esm";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../..");

/** @typedef {{ name: string, type: string, size: number, link: string, hash: string }} Entry */
/** @typedef {{ entries: Entry[], error?: string }} Reading */
/** @typedef {{ entries: Entry[] } | { refused: string }} Verdict */
/** @typedef {{ indexTar: typeof import("../../src/tar/tar-index.ts").indexTar, scanTar: typeof import("../../src/archive/open/scan-tar.ts").scanTar, ArchiveError: typeof import("../../src/errors.ts").ArchiveError }} Readers */

/** @param {Uint8Array} bytes */
export const hashOf = bytes => createHash("sha256").update(bytes).digest("hex");

export async function loadOurReader() {
  const folder = await mkdtemp(join(tmpdir(), "imgpack-fuzz-"));
  try {
    const contents =
      'export { indexTar } from "./src/tar/tar-index.ts";\nexport { scanTar } from "./src/archive/open/scan-tar.ts";\nexport { ArchiveError } from "./src/errors.ts";\n';
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: ROOT, loader: "ts" },
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node20.19",
      write: false,
      logLevel: "warning",
    });
    const file = join(folder, "reader.mjs");
    await writeFile(file, outputFiles[0]?.contents ?? "");
    /** @type {Readers} */
    const readers = await import(pathToFileURL(file).href);
    /**
     * @param {Buffer} bytes
     * @returns {Promise<Verdict>}
     * @throws whatever is no ArchiveError; an Error when the two readers disagree.
     */
    return async bytes => {
      const [indexed, passed] = [await byPosition(readers, bytes), await streamed(readers, bytes)];
      const isAccepted = "entries" in indexed && "entries" in passed;
      const isSame = isAccepted
        ? JSON.stringify(indexed.entries) === JSON.stringify(passed.entries)
        : "refused" in indexed && "refused" in passed;
      if (isSame) return indexed;
      throw new Error(`by position ${JSON.stringify(indexed)}, in passing ${JSON.stringify(passed)}`);
    };
  } finally {
    await remove(folder);
  }
}

/** @param {Readers} readers @param {Buffer} bytes @returns {Promise<Verdict>} */
async function byPosition({ indexTar, ArchiveError }, bytes) {
  /** @param {Uint8Array} target @param {number} position */
  const read = async (target, position) => bytes.copy(target, 0, position);
  try {
    const { entries } = await indexTar({ size: bytes.length, read });
    return { entries: [...entries.values()].map(entry => plain(entry, bytes)) };
  } catch (error) {
    if (error instanceof ArchiveError) return { refused: error.reason };
    throw error;
  }
}

/** In parts that end anywhere. @param {Readers} readers @param {Buffer} bytes @returns {Promise<Verdict>} */
async function streamed({ scanTar, ArchiveError }, bytes) {
  const step = 300 + (bytes.length % 2000);
  const parts = async function* () {
    for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
  };
  try {
    const { entries } = await scanTar(parts(), () => undefined, { what: "the archive", concurrency: 1 });
    return { entries: [...entries.values()].map(entry => plain(entry, bytes)) };
  } catch (error) {
    if (error instanceof ArchiveError) return { refused: error.reason };
    throw error;
  }
}

/** @param {import("../../src/tar/tar-entry.ts").TarEntry} entry @param {Buffer} bytes @returns {Entry} */
function plain({ name, type, linkName = "", bodyOffset, size }, bytes) {
  return { name, type, size, link: linkName, hash: hashOf(bytes.subarray(bodyOffset, bodyOffset + size)) };
}
