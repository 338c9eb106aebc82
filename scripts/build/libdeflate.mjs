// @ts-check
// libdeflate, which few runs use: its WebAssembly is compressed, and no base64, which gzip cannot make as small again.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { brotli } from "./brotli.mjs";
import { common, IMPORT_META_URL, root } from "./options.mjs";

const NAME = "libdeflate.wasm.br";
const BASE64 = /"data:application\/octet-stream;base64,([\w+/=]{1000,})"/g;
const READ = `"data:application/octet-stream;base64,"+require("node:zlib").brotliDecompressSync(require("node:fs").readFileSync(require("node:path").join(__dirname,"${NAME}"))).toString("base64")`;

/** Writes dist/libdeflate.cjs and its WebAssembly. @returns {Promise<import("esbuild").Metafile>} */
export async function buildLibdeflate() {
  const { metafile, outputFiles } = await build({
    ...common,
    format: "cjs",
    entryPoints: { libdeflate: "libdeflate" },
    banner: { js: IMPORT_META_URL },
    define: { ...common.define, "import.meta.url": "importMetaUrl" },
    minifyIdentifiers: true,
    write: false,
  });
  const text = outputFiles[0]?.text ?? "";
  const [found, ...others] = text.matchAll(BASE64);
  if (found === undefined || others.length > 0) throw new Error("Cannot find the WebAssembly of libdeflate");
  const [literal, base64 = ""] = found;
  await writeFile(join(root, "dist", NAME), brotli(Buffer.from(base64, "base64")));
  await writeFile(
    join(root, "dist/libdeflate.cjs"),
    text.replace(literal, () => READ),
  );
  return metafile;
}
