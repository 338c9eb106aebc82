// @ts-check
// Bundles the command line and the library into dist/: start-up time is mostly the number of files loaded.
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { remove } from "fs-extra/esm";
import { bundledPackages, licenceTexts } from "./build/bundled-packages.mjs";
import { writeDeflateModule } from "./build/deflate-wasm.mjs";
import { buildLibdeflate } from "./build/libdeflate.mjs";
import { banner, common, root, sharedLibdeflate, threadScripts } from "./build/options.mjs";
import { buildProgram } from "./build/program.mjs";
import { buildTypes } from "./build/types.mjs";

await writeDeflateModule();
await remove(join(root, "dist"));
await mkdir(join(root, "dist"));
const threads = await build({
  ...common,
  banner,
  entryPoints: await threadScripts(),
  entryNames: "[name]",
  minifyIdentifiers: true,
  outExtension: { ".js": ".mjs" },
  plugins: [...common.plugins, sharedLibdeflate],
});
const libdeflate = await buildLibdeflate();
const program = await buildProgram();
const launcher = await build({
  ...common,
  format: "cjs",
  entryPoints: { bin: "src/launch/launch.ts" },
  outExtension: { ".js": ".cjs" },
  minifyIdentifiers: true,
  define: { ...common.define, IMGPACK_PROGRAM_HASH: JSON.stringify(program.hash) },
  supported: { "dynamic-import": false },
});
await chmod(join(root, "dist/bin.cjs"), 0o755);
const modules = [threads.metafile, libdeflate, program.metafile, launcher.metafile].flatMap(({ inputs }) =>
  Object.keys(inputs),
);
await writeFile(join(root, "dist/THIRD-PARTY-LICENSES.txt"), licenceTexts(await bundledPackages(modules)));
await buildTypes();
