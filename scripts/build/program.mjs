// @ts-check
// The program, which is the command line and the library, in few CommonJS files: a small push spends most of its time on
// loading, and V8 keeps compiled code for whole files only. Each chunk that esbuild splits off is in one of the files, and
// has a number.
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { build } from "esbuild";
import { brotli } from "./brotli.mjs";
import { common, IMPORT_META_URL, root, sharedLibdeflate } from "./options.mjs";
import { codeOfChunks, minify } from "./program-file.mjs";

/** Runs of these take seconds, or a server starts: a few milliseconds of decompression are nothing to them. */
const RARE = new RegExp(
  `^src/(${[
    "index\\.ts",
    "serve/",
    "engine/",
    "archive/damage/",
    "verbs/(v1|base|convert|copy|doctor|import|mirrors|patch|reporting)/",
    "verbs/collect-garbage\\.ts",
  ].join("|")})`,
);

/**
 * The files, and the modules whose chunks are in each: in the first, what every push or pull needs; in the second, what
 * compresses; what reads lists, and YAML; the v1 protocol; what explains a refused command line; all that is not rare. A chunk is in the first file that needs it,
 * and in the last one if none does. Names that end in .br are compressed.
 * @type {Readonly<Record<string, (module: string) => boolean>>}
 */
const FILES = {
  "program.cjs": oneOf(
    "src/program.ts",
    "src/cli/main.ts",
    "src/cli/commands/push.ts",
    "src/cli/commands/pull.ts",
    "src/verbs/push/push.ts",
    "src/verbs/pull.ts",
  ),
  "program-gzip.cjs": oneOf("src/compress/gzip/gzip-member.mjs"),
  "program-list.cjs": oneOf("src/verbs/requested/read-lists.ts"),
  "program-yaml.cjs.br": oneOf("src/bundle/list/yaml/parse-yaml.ts"),
  "program-v1.cjs.br": oneOf(
    "src/verbs/v1/pull/pull-v1.ts",
    "src/verbs/v1/rescue/copy-v1.ts",
    "src/verbs/v1/query/v1-queries.ts",
    "src/verbs/v1/writing/push-archives-v1.ts",
  ),
  "program-refused.cjs.br": oneOf("src/cli/words/run-with-yargs.ts", "src/cli/advice/advise.ts"),
  "program-more.cjs": module => !RARE.test(module),
  "program-rare.cjs.br": () => true,
};
const [MAIN = "", ...OTHERS] = Object.keys(FILES);
const LAST = OTHERS.at(-1) ?? MAIN;
/** The chunk of src/program.ts. */
const PROGRAM = 0;

/** Runs chunks when they are first needed. `module.entry` is the chunk to begin with. */
const loader = (/** @type {string} */ fileOf) => `"use strict";
${IMPORT_META_URL}
const lazy=name=>{let module;return new Proxy({},{get:(_target,key)=>(module??=require(name))[key],has:(_target,key)=>key in(module??=require(name))})};
const fileOf=${fileOf},loaded=new Map(),chunks={};
const $table=more=>{Object.assign(chunks,more)};
const read=name=>{
const path=require("node:path").join(__dirname,name);
const text=require("node:zlib").brotliDecompressSync(require("node:fs").readFileSync(path)).latin1Slice();
const module={exports:{}};
new(require("node:vm").Script)("(function(module,require){"+text+"})",{filename:path}).runInThisContext()(module,require);
return module.exports;
};
const open=name=>(name.endsWith(".br")?read(name):require(name))(load,lazy,importMetaUrl,$table);
const load=number=>{
let chunk=loaded.get(number);
if(chunk===undefined){
if(chunks[number]===undefined)open(fileOf[number]??"./${LAST}");
loaded.set(number,chunk=chunks[number]());
}
return chunk;
};
`;

/** @returns what it is made of, and the SHA-256 of program.cjs in hexadecimal. */
export async function buildProgram() {
  const { metafile, outputFiles } = await build({
    ...common,
    entryPoints: ["src/program.ts", "src/index.ts"],
    splitting: true,
    write: false,
    minifyIdentifiers: true,
    chunkNames: "[name]-[hash]",
    plugins: [...common.plugins, sharedLibdeflate],
  });
  const numbers = new Map([["program.js", PROGRAM]]);
  for (const { path } of outputFiles) if (!numbers.has(basename(path))) numbers.set(basename(path), numbers.size);
  const numberOf = (/** @type {string} */ name) => numbers.get(name) ?? 0;
  const files = fileOfChunks(metafile);
  const fileOf = (/** @type {string} */ name) => files.get(name) ?? LAST;
  const wanted = wantedElsewhere(metafile, fileOf).add("program.js").add("index.js");
  const codeOf = async (/** @type {string} */ file) => {
    const own = outputFiles.map(({ path, text }) => ({ name: basename(path), number: numberOf(basename(path)), text }));
    const inFile = own.filter(({ name }) => fileOf(name) === file);
    return await codeOfChunks(inFile, ({ name }) => wanted.has(name), numbers);
  };
  const table = [...wanted].filter(name => ![MAIN, LAST].includes(fileOf(name)));
  const numbered = JSON.stringify(Object.fromEntries(table.map(name => [numberOf(name), `./${fileOf(name)}`])));
  const body = `${loader(numbered)}${await codeOf(MAIN)};module.exports=load(module.entry??${PROGRAM});`;
  // As the launcher runs it: joining half a megabyte there would copy it. The library requires it. V8 compiles a function in
  // parentheses at once; any other is parsed twice.
  const code = await minify(`function(exports,require,module,__filename,__dirname){${body}}`);
  const main = `(f=>typeof module=="object"?module.exports=f:f)(${code})`;
  await writeFile(join(root, "dist", MAIN), main);
  for (const file of OTHERS) {
    const text = `module.exports=${await minify(`function(load,lazy,importMetaUrl,$table){"use strict";${await codeOf(file)}}`)};`;
    await writeFile(join(root, "dist", file), file.endsWith(".br") ? brotli(text) : text);
  }
  const names = Object.values(metafile.outputs).find(({ entryPoint }) => entryPoint === "src/index.ts")?.exports ?? [];
  await writeFile(join(root, "dist/index.js"), libraryModule(names, numberOf("index.js")));
  return { metafile, hash: createHash("sha256").update(main).digest("hex") };
}

/**
 * The library: an ES module with the names of a chunk.
 * @param {readonly string[]} names
 * @param {number} entry
 */
const libraryModule = (names, entry) => `import{createRequire}from"node:module";
import{dirname}from"node:path";
import{fileURLToPath}from"node:url";
const path=fileURLToPath(new URL("program.cjs",import.meta.url)),require=createRequire(path),module={exports:{},entry:${entry}};
require(path)(module.exports,require,module,path,dirname(path));
export const{${[...names].sort().join(",")}}=module.exports;
`;

/** @param {...string} modules @returns {(module: string) => boolean} */
function oneOf(...modules) {
  return module => modules.includes(module);
}

/**
 * The file of each chunk that a file of FILES needs at once.
 * @param {import("esbuild").Metafile} metafile
 */
function fileOfChunks({ outputs }) {
  const found = new Map();
  const add = (/** @type {string} */ path, /** @type {string} */ file) => {
    if (found.has(basename(path))) return;
    found.set(basename(path), file);
    for (const { path: next, kind } of outputs[path]?.imports ?? []) if (kind === "import-statement") add(next, file);
  };
  for (const [file, isIn] of Object.entries(FILES)) {
    const roots = Object.keys(outputs).filter(path => isIn(outputs[path]?.entryPoint ?? ""));
    if (roots.length === 0) throw new Error(`No module of ${file} has a chunk of its own`);
    for (const path of roots) if (outputs[path]?.entryPoint !== undefined) add(path, file);
  }
  return found;
}

/**
 * The names of chunks that chunks of other files import.
 * @param {import("esbuild").Metafile} metafile
 * @param {(name: string) => string} fileOf
 */
function wantedElsewhere({ outputs }, fileOf) {
  const wanted = new Set();
  for (const [path, { imports }] of Object.entries(outputs)) {
    for (const { path: next } of imports) {
      if (outputs[next] !== undefined && fileOf(basename(path)) !== fileOf(basename(next))) wanted.add(basename(next));
    }
  }
  return wanted;
}
