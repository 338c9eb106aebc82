// @ts-check
// The program, which is the command line and the library, in few CommonJS files: a small push spends most of its time on
// loading, and V8 keeps compiled code for whole files only. Each chunk that esbuild splits off becomes a function in one of
// the files, and has a number.
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { build, transform } from "esbuild";
import { common, IMPORT_META_URL, minified, root, sharedLibdeflate } from "./options.mjs";

/**
 * The files, and the modules whose chunks are in each: in the first, what every push or pull needs; in the second, what
 * compresses; what reads lists, and YAML; in the last, all the rest. A chunk is in the first file that needs it.
 * @type {Readonly<Record<string, readonly string[]>>}
 */
const FILES = {
  "program.cjs": [
    "src/program.ts",
    "src/cli/main.ts",
    "src/cli/commands/push.ts",
    "src/cli/commands/pull.ts",
    "src/verbs/push/push.ts",
    "src/verbs/pull.ts",
  ],
  "program-gzip.cjs": ["src/compress/gzip/gzip-member.mjs"],
  "program-list.cjs": ["src/verbs/requested/read-lists.ts"],
  "program-yaml.cjs": ["src/bundle/list/yaml/parse-yaml.ts"],
  "program-v1.cjs": [
    "src/verbs/v1/pull/pull-v1.ts",
    "src/verbs/v1/rescue/copy-v1.ts",
    "src/verbs/v1/query/v1-queries.ts",
    "src/verbs/v1/writing/push-archives-v1.ts",
  ],
  "program-more.cjs": [],
};
const [MAIN = "", ...OTHERS] = Object.keys(FILES);
const LAST = OTHERS.at(-1) ?? MAIN;
/** The chunk of src/program.ts. */
const PROGRAM = 0;

/** Modules of Node that take milliseconds to load, and that a small push or pull does not use. */
const LAZY = ["child_process", "dns", "dns/promises", "https", "tls", "worker_threads", "zlib"];
/** Where a chunk imports names of one of them. The names are looked up when they are used. */
const LAZY_IMPORT = new RegExp(`^(var \\w+ = )require(\\("node:(?:${LAZY.join("|")})"\\);)$`, "gm");
const HEAD = `"use strict";
${IMPORT_META_URL}
const lazy=name=>{let module;return new Proxy({},{get:(_target,key)=>(module??=require(name))[key],has:(_target,key)=>key in(module??=require(name))})};
`;

/**
 * Runs chunks when they are first required. `module.entry` is the chunk to begin with.
 * @param {Readonly<Record<number, string>>} fileOf chunks of other files
 */
const loader = fileOf => `
const fileOf=${JSON.stringify(fileOf)},loaded=new Map();
const load=number=>{
let module=loaded.get(number);
if(module===undefined){
loaded.set(number,module={exports:{}});
(chunks[number]??require(fileOf[number]??"./${LAST}")[number])(module.exports,link,module);
}
return module.exports;
};
const link=name=>typeof name=="number"?load(name):require(name);
module.exports=load(module.entry??${PROGRAM});
`;

/** Helper functions before the code of a chunk, as esbuild writes them. */
const HELPERS = /^(?:var __\w+ = .*?;\n(?=[\w"([/]))+/s;
const BETWEEN = /(?<=;\n)(?=var __)/;
/** A call of an imported function, without `this`, which no function of a module looks at. */
const CALL = /\(0, (import_\w+\.\w+)\)(?=\()/g;
const CHUNK = /\brequire\("\.\/([\w.-]+\.js)"\)/g;

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
  const fileOf = fileOfChunks(metafile);
  const numbers = new Map([["program.js", PROGRAM]]);
  for (const { path } of outputFiles) if (!numbers.has(basename(path))) numbers.set(basename(path), numbers.size);
  const numberOf = (/** @type {string} */ name) => numbers.get(name) ?? 0;
  const chunks = await Promise.all(
    outputFiles.map(async ({ path, text }) => ({ name: basename(path), ...(await asFunction(text, numbers)) })),
  );
  const inFile = (/** @type {string} */ file) =>
    chunks
      .filter(({ name }) => (fileOf.get(name) ?? LAST) === file)
      .map(({ name, ...parts }) => ({ ...parts, number: numberOf(name) }));
  const named = [...fileOf].filter(([, file]) => file !== MAIN && file !== LAST);
  const files = Object.fromEntries(named.map(([name, file]) => [numberOf(name), `./${file}`]));
  const text = await asFile(inFile(MAIN), table => `const chunks=${table};${loader(files)}`);
  // As the launcher runs it: joining half a megabyte there would copy it. The library requires it.
  const main = `(f=>typeof module=="object"?module.exports=f:f)((function(exports,require,module,__filename,__dirname){${text}}))`;
  await writeFile(join(root, "dist", MAIN), main);
  for (const file of OTHERS) {
    await writeFile(join(root, "dist", file), await asFile(inFile(file), table => `module.exports=${table};`));
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

/**
 * @param {string} text of an ES module
 * @param {ReadonlyMap<string, number>} numbers of the chunks
 */
async function asFunction(text, numbers) {
  const { code } = await transform(text, {
    format: "cjs",
    platform: "node",
    target: minified.target,
    define: { "import.meta.url": "importMetaUrl" },
    // As require(): vm.Script has no import().
    supported: { "dynamic-import": false },
  });
  const helpers = HELPERS.exec(code)?.[0] ?? "";
  const body = code
    .slice(helpers.length)
    .replace(LAZY_IMPORT, "$1lazy$2")
    .replace(CALL, "$1")
    .replace(CHUNK, (call, name) => (numbers.has(name) ? `require(${numbers.get(name)})` : call));
  return { helpers: helpers.split(BETWEEN), body };
}

/**
 * One file of several chunks, which share esbuild's helpers.
 * @param {readonly { number: number, helpers: readonly string[], body: string }[]} chunks
 * @param {(table: string) => string} finish
 */
async function asFile(chunks, finish) {
  const helpers = new Map();
  for (const helper of chunks.flatMap(chunk => chunk.helpers)) {
    const name = /^var (\w+)/.exec(helper)?.[1];
    if (name !== undefined && shapeOf(helpers.get(name) ?? helper) !== shapeOf(helper))
      throw new Error(`Two helpers ${name}`);
    if (name !== undefined) helpers.set(name, helper);
  }
  const functions = chunks.map(({ number, body }) => `${number}: function(exports, require, module) {${body}}`);
  const text = [HEAD, ...helpers.values(), finish(`{${functions.join(",\n")}}`)].join("\n");
  const { code } = await transform(text, { ...minified, minifyIdentifiers: true });
  return asciiOnly(code);
}

/** Parameters of a helper have other names where the chunk has these. @param {string} helper */
const shapeOf = helper => helper.replace(/\b[a-z]\w*/g, "x");

/**
 * A program file is ASCII. What esbuild leaves is in tagged templates, whose tags here do not look at the raw text, and in
 * expressions; in both, an escape is the same.
 * @param {string} code
 */
function asciiOnly(code) {
  if (/String\.raw`[^`]*[^\0-\x7f]/.test(code)) throw new Error("String.raw would get escapes in place of characters");
  return code.replace(/[^\0-\x7f]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/**
 * The file of each chunk that a file of FILES needs at once; what it imports on demand is in the last file.
 * @param {import("esbuild").Metafile} metafile
 */
function fileOfChunks({ outputs }) {
  const found = new Map();
  const add = (/** @type {string} */ path, /** @type {string} */ file) => {
    if (found.has(basename(path))) return;
    found.set(basename(path), file);
    for (const { path: next, kind } of outputs[path]?.imports ?? []) if (kind === "import-statement") add(next, file);
  };
  for (const [file, modules] of Object.entries(FILES)) {
    for (const module of modules) {
      const chunk = Object.keys(outputs).find(path => outputs[path]?.entryPoint === module);
      if (chunk === undefined) throw new Error(`${module} has no chunk of its own`);
      add(chunk, file);
    }
  }
  return found;
}
