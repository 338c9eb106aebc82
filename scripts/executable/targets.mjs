// @ts-check

/**
 * @typedef Target
 * @property {string} name
 * @property {string} file as it is named next to an archive
 * @property {string} runtime npm package that the executable is made of
 * @property {string} bunTarget
 * @property {boolean} hasBytecode starts faster, and is larger: the runtime of Windows alone is almost as large as a file may be
 */

/**
 * Baseline runtimes: the others end with an illegal instruction on processors without AVX2, which many isolated networks
 * still use, and which some virtual machines present.
 * @type {readonly Target[]}
 */
export const TARGETS = [
  target("linux-x64", "bun-linux-x64-baseline"),
  target("linux-arm64", "bun-linux-aarch64"),
  target("linux-x64-musl", "bun-linux-x64-musl-baseline"),
  target("darwin-arm64", "bun-darwin-aarch64"),
  target("darwin-x64", "bun-darwin-x64-baseline"),
  target("windows-x64", "bun-windows-x64-baseline"),
];

/** Builds the others: it runs on the machine that builds. */
export const BUILDER = process.arch === "arm64" ? "@oven/bun-linux-aarch64" : "@oven/bun-linux-x64-baseline";

/**
 * @param {string} name
 * @param {string} runtime
 * @returns {Target}
 */
function target(name, runtime) {
  const bunTarget = runtime.replace("aarch64", "arm64");
  return {
    name,
    file: `imgpack-${name}${name.startsWith("windows") ? ".exe" : ""}`,
    runtime: `@oven/${runtime}`,
    bunTarget,
    hasBytecode: !name.startsWith("windows"),
  };
}
