// @ts-check

/**
 * The notes of one version.
 *
 * @param {string} changelog text of CHANGELOG.md
 * @param {string} version such as 1.0.0, v1.0.0 or Unreleased
 * @returns {string} the lines below its heading
 * @throws {Error} if the version has no section, or an empty one
 */
export function sectionOf(changelog, version) {
  const wanted = version.replace(/^v(?=\d)/, "");
  const sections = changelog.split(/^## /m).slice(1);
  const found = sections.find(section => /^\[?([^\s\]]+)/.exec(section)?.[1] === wanted);
  const notes = found?.slice(found.indexOf("\n")).trim() ?? "";
  if (notes !== "") return notes;
  const names = sections.map(section => /^\[?([^\s\]]+)/.exec(section)?.[1]).join(", ");
  const state = found === undefined ? "no section" : "an empty section";
  throw new Error(
    `Cannot write release notes of ${wanted}: CHANGELOG.md has ${state} for it, expected one of ${names}`,
  );
}
