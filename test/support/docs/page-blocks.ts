// What a page of docs/ has between its fences, and what its comments say about that to the tests.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** All that a fence may name. Any other word, or a second one, is an error: a block of it would be neither run nor read. */
const LANGUAGES = [
  "",
  "text",
  "sh",
  "bash",
  "console",
  "json",
  "toml",
  "yaml",
  "groovy",
  "js",
  "ini",
  "dockerfile",
] as const;
export type Language = (typeof LANGUAGES)[number];

/** A fenced block. Comments in the page's source, on the lines before the fence, say how it is tested. */
export interface Block {
  readonly language: Language;
  readonly text: string;
  /** Of the fence, from 1. */
  readonly line: number;
  readonly heading: string;
  /** `<!-- not run: REASON -->` */
  readonly notRun: string | undefined;
  /** `<!-- not run "TEXT": REASON -->`: of the lines that have this text in them. */
  readonly linesNotRun: ReadonlyMap<string, string>;
  /** `<!-- run by FILE -->`: a test of its own runs it. */
  readonly runBy: string | undefined;
  /** `<!-- prints -->`: lines that the block before prints, in this order; "…" is any text. */
  readonly isOutput: boolean;
  /** `<!-- before: COMMAND -->`: what a reader of the page has done already. */
  readonly before: readonly string[];
  /** `<!-- file: NAME -->`, or a first line `# NAME.EXT`. */
  readonly file: string | undefined;
}

export interface Page {
  /** From the root of the project, such as docs/how-to/proxies.md. */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  /** `<!-- run by FILE -->` at the head: another test that runs the blocks which are not marked. */
  readonly runBy: string | undefined;
}

const FILE_NAME = /^# ([\w.-]+\.(?:txt|ya?ml|toml|conf|json))\n/;

/** README.md and all pages of docs/. */
export function allPages(): readonly Page[] {
  const names = readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" });
  const pages = names.filter(name => name.endsWith(".md")).map(name => `docs/${name.replaceAll("\\", "/")}`);
  return ["README.md", ...pages.sort()].map(readPage);
}

/** @param path from the root of the project */
export function readPage(path: string): Page {
  const text = readFileSync(join(ROOT, path), "utf8");
  const [head = ""] = text.split("\n```", 1);
  try {
    return { path, text, blocks: blocksOf(text), runBy: /<!-- run by (\S+) -->\n\n/.exec(head)?.[1] };
  } catch (error) {
    throw new Error(`Cannot read ${path}`, { cause: error });
  }
}

const MARK = /^(?:not run(?: ".+")?: .|run by \S+$|prints$|before: .|file: \S+$)/;
/** What Markdown shows as code, or may show so, but is not a fence at the beginning of its line. */
const OTHER_CODE =
  /^[ \t]*(?:[>*+-]|\d+[.)])[\s>]*(?:`{3}|~{3})|^\t+ *(?:`{3}|~{3})|<(?:pre|code)\b|^(?: {4}|\t)[ \t]*(?:\$ )?imgpack /i;

interface OpenFence {
  readonly line: number;
  readonly language: Language;
  readonly indent: string;
  /** The characters that a closing fence has at least. */
  readonly fence: string;
  readonly lines: string[];
}

/** @throws {Error} for code that no test can see: a fence of another language, a mark without a block */
export function blocksOf(text: string): readonly Block[] {
  const blocks: Block[] = [];
  let heading = "";
  let comments: string[] = [];
  let open: OpenFence | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    if (open !== undefined) {
      if (closes(line, open.fence)) {
        blocks.push(block(open, heading, comments));
        [open, comments] = [undefined, []];
      } else open.lines.push(line.slice(open.indent.length));
      continue;
    }
    const fail = (found: string): never => {
      throw new Error(`Cannot read line ${index + 1}: ${found}: ${line}`);
    };
    const [, indent = "", fence, info = ""] = /^( *)(`{3,}|~{3,})(.*)$/.exec(line) ?? [];
    const [, comment] = /^ *<!-- (.*) -->$/.exec(line) ?? [];
    if (fence !== undefined) {
      const language = LANGUAGES.find(each => each === info) ?? fail("a fence of no known language");
      if (comments.some(each => !MARK.test(each))) fail("after a comment that is not a mark");
      open = { line: index + 1, language, indent, fence, lines: [] };
    } else if (comment !== undefined) comments.push(comment);
    else if (OTHER_CODE.test(line)) fail("code that is not a fence of its own");
    else if (line.trim() !== "") {
      // The mark of a whole page is before its first block.
      if (comments.some(each => MARK.test(each) && !(each.startsWith("run by ") && blocks.length === 0)))
        fail("after a mark, in place of a block");
      comments = [];
    }
    if (open === undefined && line.startsWith("#")) heading = line.replace(/^#+ /, "");
  }
  if (open !== undefined) throw new Error(`Cannot read line ${open.line}: the fence stays open`);
  return blocks;
}

function closes(line: string, fence: string): boolean {
  const found = line.trim();
  return found.startsWith(fence) && found === fence.charAt(0).repeat(found.length);
}

function block({ line, language, lines }: OpenFence, heading: string, comments: readonly string[]): Block {
  const text = lines.map(each => `${each}\n`).join("");
  const said = (pattern: RegExp): string | undefined =>
    comments.map(comment => pattern.exec(comment)?.[1]).find(found => found !== undefined);
  return {
    language,
    text,
    line,
    heading,
    notRun: said(/^not run: (.+)$/),
    linesNotRun: new Map(
      comments.flatMap(comment => {
        const [, part, reason] = /^not run "(.+)": (.+)$/.exec(comment) ?? [];
        return part === undefined || reason === undefined ? [] : [[part, reason] as const];
      }),
    ),
    runBy: said(/^run by (\S+)$/),
    isOutput: comments.includes("prints"),
    before: comments.flatMap(comment => /^before: (.+)$/.exec(comment)?.[1] ?? []),
    file: said(/^file: (\S+)$/) ?? FILE_NAME.exec(text)?.[1],
  };
}

/** The logical lines of a script: continued ones are joined. Comments and empty lines are left out. */
export function commandLines(text: string): readonly string[] {
  return text
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .filter(line => line.trim() !== "" && !line.startsWith("#"));
}

/** Code in the first two of three or more cells of a row, if it begins with the name of one of these programs. */
export function tableCommands(text: string, programs: readonly string[]): readonly string[] {
  const rows = text.split("\n").map(line => line.split(/(?<!\\)\|/).slice(1, -1));
  return rows.flatMap(cells =>
    cells.length < 3
      ? []
      : [
          ...cells
            .slice(0, 2)
            .join("|")
            .matchAll(/`([^`]+)`/g),
        ]
          .map(([, code = ""]) => code.replaceAll("\\|", "|"))
          .filter(code => programs.some(program => code.startsWith(`${program} `))),
  );
}

/** What matches a line of a page. "…" is any text. */
export function linePattern(line: string): RegExp {
  const texts = line.split("…").map(text => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${texts.join(".*")}$`);
}

/** Whether each line is among the lines of the output, in this order. "…" is any text. */
export function missingLine(expected: string, output: string): string | undefined {
  const found = output.split("\n");
  let from = 0;
  for (const line of expected.trimEnd().split("\n")) {
    const pattern = linePattern(line.trim());
    const at = found.findIndex((each, index) => index >= from && pattern.test(each.trim()));
    if (at < 0) return line;
    from = at + 1;
  }
  return undefined;
}
