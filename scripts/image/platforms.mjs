// @ts-check

/**
 * @typedef Platform
 * @property {string} name as `--platform` has it
 * @property {string} architecture as Debian names it
 * @property {string} executable target of `npm run executable`
 */

/** @type {readonly Platform[]} */
export const PLATFORMS = [
  { name: "linux/amd64", architecture: "amd64", executable: "linux-x64" },
  { name: "linux/arm64", architecture: "arm64", executable: "linux-arm64" },
];
