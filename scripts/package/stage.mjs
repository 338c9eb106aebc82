// @ts-check
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { copy, emptyDir, outputJson, remove } from "fs-extra/esm";
import { bundledPackages } from "../build/bundled-packages.mjs";
import { root } from "../build/options.mjs";
import { bundleProgram } from "../executable/bundle.mjs";

/** What npm, and those who read a bill of materials, want of a bundled package. */
const FACTS = ["name", "version", "description", "license", "author", "homepage", "repository"];

/**
 * Lays out the package for `npm pack`. The code of other packages is part of dist/ already; to npm they are bundled
 * dependencies without files of code, so that `npm ls`, `npm sbom` and `npm audit` know of them where it is installed, and
 * installing asks no registry.
 *
 * @param {string} folder
 */
export async function stagePackage(folder) {
  await emptyDir(folder);
  const { files } = await stageManifest(folder, await bundled());
  // Not all of them are in every state of the project: schemas/ and man/ are made by scripts.
  for (const name of files) if (existsSync(join(root, name))) await copy(join(root, name), join(folder, name));
  await writeFile(join(folder, "dist/sbom.spdx.json"), `${JSON.stringify(await packageSbom(folder), null, 2)}\n`);
}

/**
 * What npm must know: the package.json, and those of the bundled packages; their licences are in dist/THIRD-PARTY-LICENSES.txt.
 *
 * @param {string} folder
 * @param {readonly import("../build/bundled-packages.mjs").BundledPackage[]} packages
 * @returns {Promise<{ readonly files: readonly string[] }>} the package.json
 */
export async function stageManifest(folder, packages) {
  const {
    scripts: _scripts,
    devDependencies,
    ...manifest
  } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const direct = packages.filter(({ name }) => Object.hasOwn(devDependencies, name));
  await outputJson(
    join(folder, "package.json"),
    {
      ...manifest,
      dependencies: Object.fromEntries(direct.map(({ name, version }) => [name, version])),
      bundleDependencies: direct.map(({ name }) => name),
    },
    { spaces: 2 },
  );
  for (const { name, manifest: own, dependencies } of packages) {
    const stub = Object.fromEntries(FACTS.flatMap(fact => (own[fact] === undefined ? [] : [[fact, own[fact]]])));
    const home = join(folder, "node_modules", name);
    await outputJson(join(home, "package.json"), { ...stub, dependencies }, { spaces: 2 });
  }
  return manifest;
}

/** What is part of the program, and so of the package. */
export async function bundled() {
  const folder = await mkdtemp(join(tmpdir(), "imgpack-bundle-"));
  try {
    return await bundledPackages((await bundleProgram(folder)).inputs);
  } finally {
    await remove(folder);
  }
}

/**
 * The bill of materials that npm makes of the package. The time and the random name go: they would differ in each build.
 *
 * @param {string} folder a staged package
 * @returns {Promise<SpdxDocument>}
 */
export async function packageSbom(folder) {
  const words = ["sbom", "--sbom-format", "spdx", "--sbom-type", "application"];
  const { stdout } = await promisify(execFile)("npm", words, { cwd: folder, maxBuffer: 2 ** 26 });
  const document = JSON.parse(stdout);
  document.creationInfo.created = "1970-01-01T00:00:00Z";
  document.documentNamespace = `http://spdx.org/spdxdocs/${document.name}`;
  return document;
}

/**
 * @typedef {{ SPDXID: string, name: string } & Readonly<Record<string, unknown>>} SpdxPackage
 * @typedef {{ spdxElementId: string, relatedSpdxElement: string, relationshipType: string }} SpdxRelationship
 * @typedef {Readonly<Record<string, unknown>> & { name: string, packages: SpdxPackage[], relationships: SpdxRelationship[], documentDescribes: string[] }} SpdxDocument
 */
