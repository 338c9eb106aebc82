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

/** @throws {Error} if the block is not what its language says */
export async function scriptsOf({ language, text }: Block): Promise<readonly string[]> {
  switch (language) {
    case "sh":
    case "bash":
      return [text];
    case "json":
      JSON.parse(text);
      return [];
    case "toml":
      parseToml(text);
      return [];
    case "yaml":
      return await yamlScripts(text);
    case "groovy":
      return groovyScripts(text);
    default:
      return [];
  }
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
