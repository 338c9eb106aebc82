// What can be said about the script without PowerShell: its syntax, and that it uses nothing that is not there.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Node } from "@vscode/tree-sitter-wasm";
import TreeSitter from "@vscode/tree-sitter-wasm";
import { expect, test } from "vitest";
import { completionScript } from "../../../../src/cli/completion/scripts/completion-script.ts";

const { Language, Parser } = TreeSitter;

/** Commands with their parameters, all of Windows PowerShell 5.1. */
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  "Register-ArgumentCompleter": ["-Native", "-CommandName", "-ScriptBlock"],
  "Select-Object": ["-Skip"],
  "Where-Object": [],
};
/** Types with what is used of them, and of the objects that they return. */
const TYPES = new Set([
  "[Math]",
  "[StringComparison]",
  "[System.Management.Automation.CompletionCompleters]",
  "[System.Management.Automation.CompletionResult]",
  "[System.Management.Automation.Language.StringConstantExpressionAst]",
]);
const MEMBERS = new Set(
  [
    ["Count", "Length", "Min", "new", "Ordinal"],
    ["EndsWith", "Split", "StartsWith", "Substring", "Trim"],
    ["CommandElements", "EndOffset", "Extent", "StartOffset", "Text", "Value"],
    ["CompleteFilename", "CompletionText", "ListItemText", "ResultType", "ToolTip"],
  ].flat(),
);
const AUTOMATIC = new Set(["$_", "$global:lastexitcode", "$null"]);

async function parse(text: string): Promise<Node> {
  const folder = dirname(createRequire(import.meta.url).resolve("@vscode/tree-sitter-wasm"));
  await Parser.init();
  const parser = new Parser();
  parser.setLanguage(await Language.load(join(folder, "tree-sitter-powershell.wasm")));
  const tree = parser.parse(text);
  if (tree === null) throw new Error("not parsed");
  return tree.rootNode;
}

const script = completionScript("powershell");
const root = await parse(script);

function textsOf(...types: readonly string[]): readonly string[] {
  return root.descendantsOfType([...types]).flatMap(node => (node === null ? [] : [node.text]));
}

test("the script for PowerShell has no syntax error", async () => {
  expect(root.hasError).toBe(false);
  expect((await parse(script.replace(/\}\n$/, ""))).hasError).toBe(true);
});

test("the script for PowerShell uses only commands, types and members that PowerShell 5.1 has", () => {
  expect(textsOf("command_name").filter(name => COMMANDS[name] === undefined)).toEqual([]);
  const parameters = new Set(Object.values(COMMANDS).flat());
  expect(textsOf("command_parameter").filter(name => !parameters.has(name))).toEqual([]);
  expect(textsOf("type_literal").filter(type => !TYPES.has(type))).toEqual([]);
  expect(textsOf("member_name").filter(name => !MEMBERS.has(name))).toEqual([]);
});

test("the script for PowerShell reads no variable that it does not set", () => {
  const names = textsOf("variable").map(name => name.toLowerCase().replace("@", "$"));
  const loops = [...script.matchAll(/foreach \((\$\w+) in /g)].map(([, name = ""]) => name);
  const set = new Set(
    [...textsOf("left_assignment_expression", "script_parameter"), ...loops].flatMap(
      text => text.toLowerCase().match(/\$\w+/g) ?? [],
    ),
  );
  expect([...new Set(names)].filter(name => !set.has(name) && !AUTOMATIC.has(name))).toEqual([]);
});
