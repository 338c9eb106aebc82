// @ts-check
// Makes a web site of the pages in docs/ and of the library: npm run docs:site -- FOLDER (default site/). It needs no server: open
// index.html. The index of docs/README.md is its order.
import { spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { remove } from "fs-extra/esm";
import { ownPackages } from "./build/own-packages.mjs";
import { sitePage } from "./docs-site/site-page.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const generator = join(root, "scripts/docs-site");
const out = resolve(process.argv[2] ?? join(root, "site"));

/** Pages outside of docs/. */
const OWN_PAGES = ["CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE"];

const packages = await ownPackages("docs-site");
// Inside of the project, so that the generator finds its configuration and the sources.
const staged = await mkdtemp(join(root, "node_modules/.docs-site-"));
try {
  const index = await readFile(join(root, "docs/README.md"), "utf8");
  for (const file of await projectPages()) {
    const path = join(staged, file);
    await mkdir(dirname(path), { recursive: true });
    const text = await readFile(join(root, file), "utf8");
    await writeFile(path, file.endsWith(".md") ? sitePage(file, text, index) : text);
  }
  for (const folder of ["docs/pictures", "schemas"])
    await cp(join(root, folder), join(staged, folder), { recursive: true, force: true }).catch(ignoreAbsent);
  const pages = (await projectPages()).filter(file => file.endsWith(".md") && file !== "README.md");
  const documents = inOrder(pages, index).flatMap(file => ["--projectDocuments", join(staged, file)]);
  const words = ["--options", join(generator, "typedoc.json"), "--out", out, "--readme", join(staged, "README.md")];
  run(process.execPath, [join(packages, "typedoc/bin/typedoc"), ...words, ...documents]);
  console.log(relative(process.cwd(), join(out, "index.html")));
} finally {
  await remove(staged);
}

/** What it says is enough of an error. @param {string} program @param {readonly string[]} words */
function run(program, words) {
  const { status } = spawnSync(program, words, { stdio: "inherit" });
  if (status !== 0) throw new Error(`Cannot make the site: status ${status}, expected 0`);
}

async function projectPages() {
  const docs = await readdir(join(root, "docs"), { recursive: true });
  return ["README.md", ...OWN_PAGES, ...docs.filter(name => name.endsWith(".md")).map(name => `docs/${name}`)];
}

/** @param {readonly string[]} pages @param {string} index */
function inOrder(pages, index) {
  const place = (/** @type {string} */ file) => {
    const found = index.indexOf(`](${relative("docs", file)}`);
    return found < 0 ? Number.POSITIVE_INFINITY : found;
  };
  return [...pages].sort((left, right) => place(left) - place(right) || (left < right ? -1 : 1));
}

/** @param {NodeJS.ErrnoException} error */
function ignoreAbsent(error) {
  if (error.code !== "ENOENT") throw error;
}
