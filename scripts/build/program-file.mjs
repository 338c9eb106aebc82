// @ts-check
// One file of the program: chunks that share one scope, so that what one needs of another is a name, and no property.
import { build, transform } from "esbuild";
import { common, minified } from "./options.mjs";

/** Modules of Node that take milliseconds to load, and that a small push or pull does not use. */
const LAZY = ["child_process", "dns", "dns/promises", "https", "tls", "worker_threads", "zlib"];
/** Where a chunk imports names of one of them. The names are looked up when they are used. */
const LAZY_IMPORT = new RegExp(`(?<=[\\w$]=)require(?=\\("node:(?:${LAZY.join("|")})"\\))`, "g");
/** A call of an imported function, without `this`, which no function of a module looks at. */
const CALL = /(?<!\w)\(0,([\w$]+\.[\w$]+)\)(?=\()/g;
const CHUNK = /\brequire\("\.\/([\w.-]+\.js)"\)/g;

/**
 * @typedef {object} Chunk
 * @property {string} name of the file that esbuild made of it
 * @property {number} number
 * @property {string} text an ES module
 */

/**
 * The code of some chunks. It calls `$table` with functions by the numbers of chunks, which run a chunk once and return what
 * it exports; `load`, `lazy`, and `importMetaUrl` are there already.
 *
 * @param {readonly Chunk[]} chunks
 * @param {(chunk: Chunk) => boolean} isWanted by other files
 * @param {ReadonlyMap<string, number>} numbers of all chunks
 */
export async function codeOfChunks(chunks, isWanted, numbers) {
  const own = new Map(chunks.map(chunk => [`./${chunk.name}`, chunk.text]));
  const entries = chunks.filter(isWanted).map(({ name, number }) => `${number}:()=>require("./${name}")`);
  /** @type {import("esbuild").Plugin} */
  const ownChunks = {
    name: "own-chunks",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^/ }, ({ path }) =>
        own.has(path) ? { path, namespace: "chunk" } : { path, external: true },
      );
      onLoad({ filter: /^/, namespace: "chunk" }, ({ path }) => ({ contents: own.get(path) ?? "" }));
    },
  };
  const { outputFiles } = await build({
    ...common,
    format: "cjs",
    stdin: { contents: `$table({${entries.join(",")}})` },
    write: false,
    minifyIdentifiers: true,
    define: { "import.meta.url": "importMetaUrl" },
    // As require(): vm.Script has no import().
    supported: { "dynamic-import": false },
    plugins: [ownChunks],
  });
  return (outputFiles[0]?.text ?? "")
    .replace(LAZY_IMPORT, "lazy")
    .replace(CALL, "$1")
    .replace(CHUNK, (call, name) => (numbers.has(name) ? `load(${numbers.get(name)})` : call));
}

/** @param {string} wrapped a function @returns {Promise<string>} the same in parentheses, with short names around the chunks */
export async function minify(wrapped) {
  const { code } = await transform(`$value=${wrapped}`, { ...minified, minifyIdentifiers: true });
  const [, text] = /^\$value=(function\(.*\});?\s*$/s.exec(code) ?? [];
  if (text === undefined) throw new Error("A program file is no function");
  return `(${asciiOnly(text)})`;
}

/**
 * A program file is ASCII. What esbuild leaves is in tagged templates, whose tags here do not look at the raw text, and in
 * expressions; in both, an escape is the same.
 * @param {string} code
 */
function asciiOnly(code) {
  if (/String\.raw`[^`]*[^\0-\x7f]/.test(code)) throw new Error("String.raw would get escapes in place of characters");
  return code.replace(/[^\0-\x7f]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
