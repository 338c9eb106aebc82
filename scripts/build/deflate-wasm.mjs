// @ts-check
// Compiles our deflate encoder (AssemblyScript) to WebAssembly, and writes it as a module that sources and bundles import.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const folder = fileURLToPath(new URL("../../src/compress/gzip/deflate/", import.meta.url));
const moduleFile = join(folder, "deflate-wasm.mjs");
/** Layers get other digests if this changes. */
const expectedFile = join(folder, "deflate.wasm.sha256");

const options = [
  ...["-O3", "--converge", "--runtime", "stub", "--enable", "simd", "--enable", "bulk-memory"],
  // Low memory is for constants (memory.ts); a failed assertion is a trap, not a call.
  ...["--memoryBase", "64", "--initialMemory", "41", "--use", "abort="],
  ...["--disableWarning", "112"],
];

/**
 * @param {{ isChecked?: boolean }} [how] the checked build traps when a match is wrong; for tests
 * @returns {Promise<Uint8Array>}
 */
export async function compileDeflate({ isChecked = false } = {}) {
  /** @type {Uint8Array | undefined} */
  let wasm;
  const { error, stderr } = await asc.main(
    ["index.ts", "--outFile", "deflate.wasm", ...options, ...(isChecked ? [] : ["--noAssert"])],
    {
      readFile: async name => await readFile(join(folder, "assembly", name), "utf8").catch(() => null),
      writeFile: (_name, contents) => {
        wasm = /** @type {Uint8Array} */ (contents);
      },
      listFiles: () => [],
    },
  );
  if (error !== null || wasm === undefined) throw new Error(`Cannot compile the deflate encoder: ${stderr}`);
  return wasm;
}

/** Writes deflate-wasm.mjs, unless it is there and made of the same sources. */
export async function writeDeflateModule() {
  const source = `// Made of ${await sourceHash()} by \`npm run build\`.\n`;
  if (existsSync(moduleFile) && (await readFile(moduleFile, "utf8")).startsWith(source)) return;
  const wasm = await compileDeflate();
  const found = createHash("sha256").update(wasm).digest("hex");
  const expected = (await readFile(expectedFile, "utf8")).trim();
  if (found !== expected) {
    throw new Error(
      `Cannot build the deflate encoder: its sha256 is ${found}, expected ${expected}. If its sources or the compiler changed ` +
        `on purpose, check that scripts/make-gzip-vectors.mjs --check still says "equal", and write the new hash to ${expectedFile}.`,
    );
  }
  await writeFile(moduleFile, `${source}export const DEFLATE_WASM = "${Buffer.from(wasm).toString("base64")}";\n`);
}

/** Of everything that decides the compiled bytes. */
async function sourceHash() {
  const hash = createHash("sha256").update(JSON.stringify([asc.version, options]));
  for (const name of (await readdir(join(folder, "assembly"))).sort()) {
    hash.update(`\0${name}\0`).update(await readFile(join(folder, "assembly", name)));
  }
  hash.update(await readFile(expectedFile));
  return hash.digest("hex");
}
