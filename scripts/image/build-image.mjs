// @ts-check
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { root } from "../build/options.mjs";
import { debianPackages } from "./debian-packages.mjs";
import { imageSbom, licenceExpression } from "./image-sbom.mjs";
import { joinImages } from "./joined-index.mjs";
import { PLATFORMS } from "./platforms.mjs";
import { layOutRoot, USER } from "./root-filesystem.mjs";

const CONFIG = [
  ...["--entrypoint", '["/usr/bin/imgpack"]', "--cmd", '["--help"]', "--user", `${USER}:${USER}`, "--workdir", "/work"],
  // The root filesystem may be read-only, and the user any: then only /tmp can be written to.
  ...["--env", "PATH=/usr/bin", "--env", "IMGPACK_CACHE_DIR=/tmp/imgpack-cache"],
];

/**
 * @typedef Options
 * @property {string} out archive to write
 * @property {string | undefined} tag name of the image
 * @property {string} executables folder with what `npm run executable` built
 * @property {string} packages folder of Debian packages, one below it for each architecture
 * @property {string} folder an empty one
 */

/**
 * Builds the archive of imgpack's image.
 *
 * @param {Options} options
 * @returns {Promise<string>} name and digest of the image
 */
export async function buildImage(options) {
  const { out, tag, folder } = options;
  const { version, description } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const images = [];
  for (const platform of PLATFORMS) images.push({ platform, ...(await contentOf(platform, version, options)) });
  const annotations = {
    "org.opencontainers.image.title": "imgpack",
    "org.opencontainers.image.description": description,
    "org.opencontainers.image.version": version,
    "org.opencontainers.image.licenses": licenceExpression(images.map(({ sbom }) => sbom)),
  };
  const labels = Object.entries(annotations).flatMap(([key, value]) => ["--label", `${key}=${value}`]);
  const archives = [];
  const made = [];
  for (const { platform, files, sbom } of images) {
    const { architecture, name } = platform;
    const archive = join(folder, `${architecture}.tar`);
    const words = ["import", files, "--tag", `imgpack:${architecture}`, "--output", archive, "--platform", name];
    const printed = await imgpack([...words, ...CONFIG, ...labels], folder);
    archives.push(archive);
    made.push({ digest: printed.trim().split("@")[1] ?? "", platform: name, sbom: JSON.stringify(sbom) });
  }
  const layout = join(folder, "layout");
  await imgpack(["convert", ...archives, `${layout}/`], folder);
  await joinImages(layout, annotations, made);
  return (await imgpack(["convert", `${layout}/`, out, "--tag", tag ?? `imgpack:${version}`], folder)).trim();
}

/**
 * The root filesystem of a platform, and its bill of materials.
 *
 * @param {import("./platforms.mjs").Platform} platform
 * @param {string} version
 * @param {Options} options
 */
async function contentOf(platform, version, { executables, packages, folder }) {
  const { architecture, executable } = platform;
  const program = join(executables, `imgpack-${executable}`);
  const debian = await debianPackages(architecture, join(packages, architecture), join(folder, "deb", architecture));
  const files = join(folder, "root", architecture);
  await layOutRoot(files, program, join(executables, "imgpack-licenses.txt"), debian);
  const sbom = JSON.parse(await readFile(`${program}.spdx.json`, "utf8"));
  return { files, sbom: imageSbom(sbom, version, platform, debian) };
}

/**
 * @param {readonly string[]} words
 * @param {string} folder
 */
async function imgpack(words, folder) {
  const env = { ...process.env, IMGPACK_CACHE_DIR: join(folder, "cache") };
  return (await promisify(execFile)(process.execPath, [join(root, "dist/bin.cjs"), ...words], { env })).stdout;
}
