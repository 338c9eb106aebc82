// @ts-check
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./options.mjs";

/**
 * The licence texts of every package that is part of the bundle.
 * @param {readonly (import("esbuild").Metafile | undefined)[]} metafiles
 */
export async function licences(metafiles) {
  const inputs = metafiles.flatMap(metafile => Object.keys(metafile?.inputs ?? {}));
  const packages = new Set(inputs.flatMap(input => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? []));
  const texts = [];
  for (const name of [...packages].sort()) {
    const folder = join(root, "node_modules", name);
    const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const file = (await readdir(folder)).find(entry => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? "" : await readFile(join(folder, file), "utf8");
    texts.push(`${name} ${version} (${license})\n\n${text.trim()}\n`);
  }
  return texts.join(`\n${"-".repeat(80)}\n\n`);
}
