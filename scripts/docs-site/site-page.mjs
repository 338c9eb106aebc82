// @ts-check
import { posix } from "node:path";

/**
 * A page as the generator takes it: with its title, and the section of the index that it is in.
 *
 * @param {string} file from the project's root
 * @param {string} text
 * @param {string} index of docs/README.md
 */
export function sitePage(file, text, index) {
  if (file === "README.md") return text;
  const [, title = file] = /^# (.*)\n/.exec(text) ?? [];
  const isIndex = file === "docs/README.md";
  const group = isIndex ? "Start here" : (sectionOf(file, index) ?? "The project");
  return `---\ntitle: ${JSON.stringify(title.replaceAll("`", ""))}\ngroup: ${group}\n---\n${text}`;
}

/** @param {string} file @param {string} index */
function sectionOf(file, index) {
  const target = posix.relative("docs", file);
  for (const section of index.split("\n## ").slice(1))
    if (section.includes(`](${target})`) || section.includes(`](${target}#`)) return section.split("\n")[0];
  return undefined;
}
