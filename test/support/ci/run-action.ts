// A small runner of composite actions: it fills expressions, and starts the scripts of the steps as GitHub's runner does.
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { data, Evaluator, Lexer, Parser } from "@actions/expressions";
import { parse } from "yaml";
import { run } from "../../integration/peers/run.ts";

type Texts = Readonly<Record<string, string>>;

export interface Step {
  readonly id: string;
  readonly if?: string;
  readonly shell: string;
  readonly env: Texts;
  readonly run: string;
}

export interface Action {
  readonly inputs: Readonly<Record<string, { readonly description: string; readonly default?: string }>>;
  readonly outputs: Readonly<Record<string, { readonly description: string; readonly value: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
}

export interface ActionRun {
  /** Of the first step that failed, else 0. */
  readonly code: number;
  /** What the job's log would show. */
  readonly log: string;
  readonly outputs: Texts;
  /** Lines of GITHUB_PATH. */
  readonly path: readonly string[];
}

export const ACTION_FILE: URL = new URL("../../../action.yml", import.meta.url);
export const action: Action = parse(readFileSync(ACTION_FILE, "utf8"));

/**
 * Runs the steps of `action.yml`.
 * @param folder an empty one, for `RUNNER_TEMP`, the current folder and the files of the runner
 * @param github more of the context `github`, such as `server_url`
 */
export async function runAction(
  folder: string,
  given: Texts,
  github: Texts = {},
  env: Texts = {},
  runner: Texts = {},
): Promise<ActionRun> {
  const defaults = Object.entries(action.inputs).map(([name, input]) => [name, input.default ?? ""]);
  const temp = join(folder, "temp");
  await mkdir(temp, { recursive: true });
  const own = await mkdtemp(join(folder, "runner-"));
  const steps: Record<string, { outputs: Texts }> = {};
  const context = {
    inputs: { ...Object.fromEntries(defaults), ...given },
    github: { server_url: "https://github.com", repository: "", action_repository: "", ...github },
    runner: { os: "Linux", arch: process.arch.toUpperCase(), temp, ...runner },
    steps,
  };
  const pathFile = join(own, "path");
  await writeFile(pathFile, "");
  let log = "";
  let code = 0;
  for (const [index, step] of action.runs.steps.entries()) {
    if (code !== 0 || (step.if !== undefined && fill(step.if, context) !== "true")) continue;
    const script = join(own, `${index}.sh`);
    const output = join(own, `${index}.output`);
    await writeFile(script, fill(step.run, context));
    await writeFile(output, "");
    const filled = Object.fromEntries(Object.entries(step.env).map(([name, text]) => [name, fill(text, context)]));
    const words = ["--noprofile", "--norc", "-eo", "pipefail", script];
    const files = { GITHUB_OUTPUT: output, GITHUB_PATH: pathFile };
    const result = await run(step.shell, words, { cwd: folder, env: { ...env, ...files, ...filled } });
    code = result.code;
    log += result.stdout + result.stderr;
    steps[step.id] = { outputs: parseOutput(await readFile(output, "utf8")) };
  }
  const outputs = Object.entries(action.outputs).map(([name, { value }]) => [name, fill(value, context)]);
  const path = (await readFile(pathFile, "utf8")).split("\n").filter(Boolean);
  return { code, log, outputs: Object.fromEntries(outputs), path };
}

/** Puts the values of expressions into a text, as they are. */
function fill(text: string, context: object): string {
  return text.replaceAll(/\$\{\{(.*?)\}\}/g, (_, expression: string) => {
    const { tokens } = new Lexer(expression.trim()).lex();
    const values = JSON.parse(JSON.stringify(context), data.reviver) as data.Dictionary;
    return new Evaluator(new Parser(tokens, Object.keys(context), []).parse(), values).evaluate().coerceString();
  });
}

/** NAME=VALUE, or NAME<<END, lines, END. */
function parseOutput(text: string): Texts {
  const found: Record<string, string> = {};
  const lines = text.split("\n");
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    const [, name = "", end = ""] = /^([\w-]+)<<(.+)$/.exec(line) ?? [];
    if (name === "") {
      const [, key, value = ""] = /^([\w-]+)=(.*)$/.exec(line) ?? [];
      if (key !== undefined) found[key] = value;
      else if (line !== "") throw new Error(`The runner refuses this line of GITHUB_OUTPUT: ${line}`);
      continue;
    }
    const index = lines.indexOf(end);
    if (index < 0) throw new Error(`The value of ${name} does not end`);
    found[name] = lines
      .splice(0, index + 1)
      .slice(0, -1)
      .join("\n");
  }
  return found;
}
