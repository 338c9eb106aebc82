// The shell commands that a block of a page has: in itself, or in the jobs of a CI system.
import { parse as parseToml } from "smol-toml";
import { parseAllDocuments } from "yaml";
import { workflowFaults } from "../workflow-faults.ts";
import type { Block } from "./page-blocks.ts";

/** What CI systems put in the place of `${{ … }}`. An expression that is not here fails the test. */
const EXPRESSIONS: Readonly<Record<string, string>> = {
  "github.sha": "0123456789abcdef0123456789abcdef01234567",
  "github.ref_name": "1.4",
  "secrets.REGISTRY_USER": "ci",
  "secrets.REGISTRY_PASSWORD": "secret",
};

/** Variables that CI systems set. */
export const CI_VARIABLES: Readonly<Record<string, string>> = {
  CI_COMMIT_TAG: "1.4",
  CI_COMMIT_SHORT_SHA: "01234567",
  CI_REGISTRY: "gitlab.lan:5050",
  CI_REGISTRY_IMAGE: "gitlab.lan:5050/team/app",
  CI_REGISTRY_USER: "ci",
  CI_REGISTRY_PASSWORD: "secret",
  R: "registry.lan:5000",
  BUILD_TAG: "jenkins-app-7",
  REGISTRY_USR: "ci",
  REGISTRY_PSW: "secret",
};

/** Programs whose commands are never only shown. */
const PROGRAM = /^(?:imgpack|docker|podman|ctr|crictl|k3s|kind|oc|helm|skopeo|crane|kubectl|openssl|curl|systemctl)$/;

export interface Step {
  readonly script: string;
  /** What it prints, on a page that shows that below the command. */
  readonly prints: string | undefined;
}

/** @throws {Error} if the block is not what its language says, or has commands that are not run in this language */
export async function stepsOf({ language, text, isOutput }: Block): Promise<readonly Step[]> {
  const steps = (scripts: readonly string[]): readonly Step[] => scripts.map(script => ({ script, prints: undefined }));
  switch (language) {
    case "sh":
    case "bash":
      return steps([text]);
    case "console":
      return consoleSteps(text);
    case "json":
      JSON.parse(text);
      return [];
    case "toml":
      parseToml(text);
      return [];
    case "yaml":
      return steps(await yamlScripts(text));
    case "groovy":
      return steps(groovyScripts(text));
    case "js":
      throw new Error("no test runs this code: name the one that does");
    case "":
    case "text":
    case "ini":
    case "dockerfile":
      if (isOutput) return [];
      for (const line of text.split("\n"))
        if (isCommand(line)) throw new Error(`a command in a block that is not sh or console: ${line}`);
      return [];
  }
}

/** Whether a block has something that a mark can keep from being run. */
export function needsMark({ language, text }: Block): boolean {
  if (["sh", "bash", "console", "js", "groovy"].includes(language)) return true;
  return language === "yaml" ? /\b(?:run|script):/.test(text) : text.split("\n").some(isCommand);
}

/** Of text, whose lines are no commands. */
function isCommand(line: string): boolean {
  const words = line.trim().split(/\s+/);
  if (["$", "%", "PS>"].includes(words[0] ?? "")) return true;
  const first = words.find(word => !/^(?:sudo|exec|RUN|CMD|[A-Z_]+=.*)$/.test(word)) ?? "";
  return words.length > 1 && PROGRAM.test(first);
}

/** A line `$ COMMAND`, and what it prints below. */
function consoleSteps(text: string): readonly Step[] {
  const [before = "", ...parts] = `\n${text}`.split(/^\$ /m);
  if (before.trim() !== "" || parts.length === 0) throw new Error("a console block begins with a line of $");
  return parts.map(part => {
    const [, script = "", prints = ""] = /^((?:.*\\\n)*.*)\n([\s\S]*)$/.exec(part) ?? [];
    return { script, prints };
  });
}

async function yamlScripts(text: string): Promise<readonly string[]> {
  const documents = parseAllDocuments(text).map(document => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    return document.toJS() as unknown;
  });
  if (/^on:/m.test(text)) {
    const faults = await workflowFaults(text);
    if (faults.length > 0) throw new Error(faults.join("\n"));
  }
  const scripts: string[] = [];
  const add = (value: unknown): void => {
    const lines = [value].flat(2).filter(line => typeof line === "string");
    if (lines.length > 0) scripts.push(expanded(lines.join("\n")));
  };
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [name, child] of Object.entries(value)) {
      if (["run", "before_script", "script", "after_script"].includes(name)) add(child);
      visit(child);
    }
  };
  documents.forEach(visit);
  return scripts;
}

function expanded(script: string): string {
  return script.replaceAll(/\$\{\{ *(.*?) *\}\}/g, (_, expression: string) => {
    const value = EXPRESSIONS[expression];
    if (value === undefined) throw new Error(`no value for the expression ${expression}`);
    return value;
  });
}

/** The steps `sh '…'` and `sh '''…'''` of a Jenkinsfile, which has as many opening brackets as closing ones. */
function groovyScripts(text: string): readonly string[] {
  const scripts: string[] = [];
  const code = text.replaceAll(/'''([\s\S]*?)'''|'([^'\n]*)'|"([^"\n]*)"|\/\/.*$/gm, (found, long, short, _, at) => {
    if (/\bsh *\(?$/.test(text.slice(0, at))) scripts.push(String(long ?? short));
    return found.startsWith("//") ? "" : "''";
  });
  const open: string[] = [];
  for (const [bracket] of code.matchAll(/[()[\]{}]/g)) {
    const opening = { ")": "(", "]": "[", "}": "{" }[bracket];
    if (opening === undefined) open.push(bracket);
    else if (open.pop() !== opening) throw new Error(`a bracket ${bracket} closes nothing`);
  }
  if (open.length > 0) throw new Error(`${open.join("")} stay open`);
  return scripts.map(script => script.replaceAll(/^ +/gm, ""));
}
