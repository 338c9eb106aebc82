// @ts-check
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./options.mjs";

const OWN = /^licen[cs]e/i;

/**
 * @typedef BundledPackage
 * @property {string} name
 * @property {string} version
 * @property {string} license SPDX expression
 * @property {string} text of the licence
 * @property {Readonly<Record<string, string>>} dependencies those that are bundled, too
 * @property {Readonly<Record<string, unknown>>} manifest its package.json
 */

/**
 * The packages that a bundle has parts of.
 *
 * @param {readonly string[]} inputs files, relative to the project
 * @returns {Promise<readonly BundledPackage[]>}
 */
export async function bundledPackages(inputs) {
  const names = new Set(inputs.flatMap(input => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? []));
  return await Promise.all([...names].sort().map(async name => await readPackage(name, names)));
}

/** @param {readonly BundledPackage[]} packages */
export function licenceTexts(packages) {
  const texts = packages.map(({ name, version, license, text }) => `${name} ${version} (${license})\n\n${text}\n`);
  return texts.join(`\n${"-".repeat(80)}\n\n`);
}

/**
 * @param {string} name
 * @param {ReadonlySet<string>} bundled
 * @returns {Promise<BundledPackage>}
 */
async function readPackage(name, bundled) {
  const folder = join(root, "node_modules", name);
  const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const file = (await readdir(folder)).find(entry => OWN.test(entry));
  const text = file === undefined ? "" : (await readFile(join(folder, file), "utf8")).trim();
  const needed = Object.entries(manifest.dependencies ?? {}).filter(([needs]) => bundled.has(needs));
  const { version, license } = manifest;
  return { name, version, license, text, dependencies: Object.fromEntries(needed), manifest };
}
