// @ts-check
// imgpack's own image, for amd64 and arm64: the single executable, its libraries and the certificates of authorities.
import { execFile } from "node:child_process";
import { mkdtemp, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { remove } from "fs-extra/esm";
import { root } from "./build/options.mjs";
import { writeSums } from "./executable/sums.mjs";
import { buildImage } from "./image/build-image.mjs";
import { PLATFORMS } from "./image/platforms.mjs";

const EXECUTABLES = join(root, "executables");
const usage = `usage: npm run image -- [--out FILE] [--tag NAME] [--executables DIR] [--packages DIR]
  --out          archive to write (default executables/imgpack-image.tar)
  --tag          name of the image (default imgpack:VERSION)
  --executables  folder with what "npm run executable" built (default: build into executables/)
  --packages     folder of Debian packages; those that it does not have are downloaded into it (default: a new folder)`;

/** @param {{ out?: string, tag?: string, executables?: string, packages?: string }} values */
async function build(values) {
  const folder = await mkdtemp(join(tmpdir(), "imgpack-image-"));
  try {
    const { tag, executables = EXECUTABLES, packages = join(folder, "packages") } = values;
    if (values.executables === undefined) {
      const targets = PLATFORMS.map(({ executable }) => executable).join(",");
      await promisify(execFile)(process.execPath, [join(root, "scripts/executable.mjs"), "--target", targets]);
    }
    const out = values.out ?? join(EXECUTABLES, "imgpack-image.tar");
    console.log(await buildImage({ out, tag, executables, packages, folder }));
    console.log(`${out}, ${((await stat(out)).size / 1e6).toFixed(1)} MB`);
    if (values.out === undefined) await writeSums(EXECUTABLES);
  } finally {
    await remove(folder);
  }
}

try {
  const text = /** @type {const} */ ({ type: "string" });
  const options = /** @type {const} */ ({
    out: text,
    tag: text,
    executables: text,
    packages: text,
    help: { type: "boolean" },
  });
  const { values } = parseArgs({ options });
  if (values.help) console.log(usage);
  else await build(values);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
