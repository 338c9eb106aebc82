// The pages of the help that belong to no command agree with the code and the docs.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { helpRequest } from "../../../src/cli/help/help-request.ts";
import { ENVIRONMENT } from "../../../src/cli/help/topics/environment.ts";
import { EXIT_CODE_TOPIC } from "../../../src/cli/help/topics/exit-codes.ts";
import { EXIT_CODES } from "../../../src/errors.ts";

const SOURCE = new URL("../../../src/", import.meta.url).pathname;
/** Of `os.tmpdir()`, which names none in the code. */
const BY_NODE = ["TMPDIR"];
const VARIABLE = /\benv\??(?:\.|\[")([A-Z][A-Z0-9_]+)\b|readProxy\(env, "([A-Z_]+)"\)/g;
/** `const { A: own, B } = process.env;` */
const DESTRUCTURED = /\{([^{}]*)\} = (?:process\.)?env\b/g;

function variablesOf(text: string): readonly string[] {
  const named = [...text.matchAll(VARIABLE)].map(([, direct, proxy]) => direct ?? proxy ?? "");
  const taken = [...text.matchAll(DESTRUCTURED)].flatMap(([, names = ""]) => names.match(/\b[A-Z][A-Z0-9_]+\b/g) ?? []);
  return [...named, ...taken];
}

/** Without comments, whose examples read other variables. */
function code(text: string): string {
  return text.replace(/^\s*(?:\/?\*|\/\/).*$/gm, "");
}

test("imgpack help environment lists each variable that the code reads, and no other", () => {
  const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter(name => name.endsWith(".ts"));
  const read = new Set(files.flatMap(name => variablesOf(code(readFileSync(join(SOURCE, name), "utf8")))));
  const listed = ENVIRONMENT.sections.flatMap(({ rows }) => rows.flatMap(({ term }) => term.split(", ")));
  expect(listed.toSorted()).toEqual([...read, ...BY_NODE].sort());
});

test("imgpack help exit-codes lists each exit code once, as README does", () => {
  const rows = EXIT_CODE_TOPIC.sections.flatMap(section => section.rows.map(({ term }) => term));
  const codes = rows.flatMap(term => term.split(", ").map(Number));
  expect(codes).toEqual([0, ...Object.values(EXIT_CODES)]);
  const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");
  const section = readme.split("\n## Exit codes\n")[1]?.split("\n## ")[0] ?? "";
  const inReadme = section.split(/[·\n]/).flatMap(
    part =>
      part
        .match(/^ *(\d+(?:, \d+)*) /)?.[1]
        ?.split(", ")
        .map(Number) ?? [],
  );
  expect(inReadme).toEqual(codes);
});

test.each([
  [["--help", "push"], ["push"]],
  [
    ["-h", "hub", "search"],
    ["hub", "search"],
  ],
  [["push", "--help"], ["push"]],
  [["--help"], []],
])("%j asks for the help of %j", (words, asked) => {
  expect(helpRequest(words)).toEqual(asked);
});
