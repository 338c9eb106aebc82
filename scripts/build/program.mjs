// @ts-check
// The program of the command line, as CommonJS: program.cjs has what push and pull need, program-more.cjs the rest. V8 keeps
// compiled code for whole files only, and a small push spends most of its time on loading. Each chunk that esbuild splits off
// becomes a function in one of the two files, and runs when it is first required.
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { build, transform } from "esbuild";
import { common, minified, root } from "./options.mjs";

/** The entry, and what is imported on demand by every push or pull. */
const OFTEN = ["src/program.ts", "src/cli/main.ts", "src/index.ts"];
const LOADER = `
const loaded=new Map();
const load=name=>{
let module=loaded.get(name);
if(module===undefined){
loaded.set(name,module={exports:{}});
(often[name]??require("./program-more.cjs")[name])(module.exports,link,module);
}
return module.exports;
};
const link=name=>name.startsWith("./")?load(name.slice(2)):require(name);
module.exports=load("program.js");
`;

/** @returns what it is made of, and the SHA-256 of program.cjs in hexadecimal. */
export async function buildProgram() {
  const { metafile, outputFiles } = await build({
    ...common,
    entryPoints: ["src/program.ts"],
    splitting: true,
    write: false,
    chunkNames: "[name]-[hash]",
  });
  const often = oftenLoaded(metafile);
  const chunks = await Promise.all(
    outputFiles.map(async ({ path, text }) => ({ name: basename(path), code: await asFunction(text) })),
  );
  const table = (/** @type {typeof chunks} */ part) =>
    `{${part.map(({ name, code }) => `${JSON.stringify(name)}:function(exports,require,module){${code}}`).join(",\n")}}`;
  const head = '"use strict";const importMetaUrl=require("node:url").pathToFileURL(__filename).href;';
  const main = `${head}const often=${table(chunks.filter(({ name }) => often.has(name)))};${LOADER}`;
  const more = `${head}module.exports=${table(chunks.filter(({ name }) => !often.has(name)))};`;
  for (const text of [main, more]) if (/[^\0-\x7f]/.test(text)) throw new Error("A program file is not ASCII");
  await writeFile(join(root, "dist/program.cjs"), main);
  await writeFile(join(root, "dist/program-more.cjs"), more);
  return { metafile, hash: createHash("sha256").update(main).digest("hex") };
}

/** @param {string} text of an ES module */
async function asFunction(text) {
  const { code } = await transform(text, {
    ...minified,
    format: "cjs",
    platform: "node",
    define: { "import.meta.url": "importMetaUrl" },
    // As require(): vm.Script has no import().
    supported: { "dynamic-import": false },
  });
  return code;
}

/**
 * Names of the chunks that OFTEN need, without those that they import on demand.
 * @param {import("esbuild").Metafile} metafile
 */
function oftenLoaded({ outputs }) {
  const found = new Set();
  const add = (/** @type {string} */ path) => {
    if (found.has(path)) return;
    found.add(path);
    for (const { path: next, kind } of outputs[path]?.imports ?? []) if (kind === "import-statement") add(next);
  };
  for (const [path, { entryPoint }] of Object.entries(outputs)) if (OFTEN.includes(entryPoint ?? "")) add(path);
  return new Set([...found].map(path => basename(path)));
}
