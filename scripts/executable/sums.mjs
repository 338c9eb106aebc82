// @ts-check
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

/**
 * Lists the sums of everything of ours in the folder, for `sha256sum --check`.
 * @param {string} folder
 */
export async function writeSums(folder) {
  const names = (await readdir(folder)).filter(name => name.startsWith("imgpack-")).sort();
  const lines = [];
  for (const name of names) {
    const hash = createHash("sha256");
    await pipeline(createReadStream(join(folder, name)), hash);
    lines.push(`${hash.digest("hex")}  ${name}\n`);
  }
  await writeFile(join(folder, "SHA256SUMS"), lines.join(""));
}
