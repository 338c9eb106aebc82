// Every relative link of the pages leads to a file that is there, and to a heading of it.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

/** Files below a folder of the project whose names match, as paths from the root. */
function filesIn(folder: string, name: RegExp): readonly string[] {
  if (!existsSync(join(ROOT, folder))) return [];
  const found = readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" });
  return found.filter(path => name.test(path)).map(path => join(folder, path));
}

const pages = [
  ...readdirSync(ROOT).filter(name => name.endsWith(".md")),
  ...["docs", ".github", "deploy"].flatMap(folder => filesIn(folder, /\.md$/)),
];
const read = (name: string): string => readFileSync(join(ROOT, name), "utf8");

/** The lines of a page that are not code. */
function prose(text: string): string {
  return text.replace(/^( *)(```+)[^\n]*\n[\s\S]*?^\1\2 *$/gm, "");
}

/** The anchors of a page, as GitHub names them: of headings, and of `id` and `name` in HTML. */
function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of prose(text).matchAll(/^#{1,6} (.*)$/gm)) {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const base = plain.replace(/[^\p{L}\p{N}\p{M}_ -]/gu, "").replaceAll(" ", "-");
    let anchor = base;
    for (let n = 1; anchors.has(anchor); n += 1) anchor = `${base}-${n}`;
    anchors.add(anchor);
  }
  for (const [, id = ""] of text.matchAll(/<[^>]+\b(?:id|name)="([^"]+)"/g)) anchors.add(id);
  return anchors;
}

function linksOf(text: string): readonly string[] {
  const plain = prose(text).replace(/`[^`\n]*`/g, "``");
  const found = [...plain.matchAll(/\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)|\b(?:href|src|srcset)="([^"]+)"/g)];
  return found.map(([, link, attribute]) => link ?? attribute ?? "").filter(link => !/^[a-z]+:/.test(link));
}

/** What is wrong with a link of a page; undefined if it leads somewhere. */
function faultOf(page: string, link: string): string | undefined {
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? page : normalize(join(dirname(page), path));
  if (!existsSync(join(ROOT, target))) return `${link}: no such file`;
  if (anchor === undefined || !target.endsWith(".md")) return undefined;
  return anchorsOf(read(target)).has(anchor) ? undefined : `${link}: no such heading`;
}

describe("links of the pages", () => {
  test("there are pages with links", () => {
    expect(pages).toContain("README.md");
    expect(pages.flatMap(page => linksOf(read(page))).length).toBeGreaterThan(100);
  });

  test.each(pages)("%s: each leads to a file and a heading", page => {
    expect(linksOf(read(page)).flatMap(link => faultOf(page, link) ?? [])).toEqual([]);
  });

  test.each(pages.filter(page => page.startsWith("docs/")))("%s begins with a title and what it is for", page => {
    const [title = "", next = ""] = read(page)
      .replace(/<!--[\s\S]*?-->\n*/g, "")
      .split("\n\n");
    expect(title).toMatch(/^# \S.*$/);
    expect(next).toMatch(/^(?!#|\||```|- )\S/);
  });

  test("each page that code and tests name is there", () => {
    const files = ["src", "scripts", "test"].flatMap(folder =>
      filesIn(folder, /^(?!.*node_modules).*\.m?ts$|^(?!.*node_modules).*\.mjs$/),
    );
    const named = files.flatMap(file =>
      [...read(file).matchAll(/\bdocs\/(?:how-to\/[\w-]+|[A-Z-]+)\.md\b/g)].map(([page]) => page),
    );
    expect([...new Set(named)].filter(page => !existsSync(join(ROOT, page)))).toEqual([]);
  });
});
