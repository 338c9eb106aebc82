import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type * as Parser from "@actions/workflow-parser";
import type * as ActionParser from "@actions/workflow-parser/actions/index";
import { build } from "esbuild";

let loaded: Promise<typeof Parser & typeof ActionParser> | undefined;

/** What GitHub's own parser of workflows finds wrong in one. */
export async function workflowFaults(text: string): Promise<readonly string[]> {
  loaded ??= loadParser();
  const { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } = await loaded;
  const { context, value } = parseWorkflow({ name: "copy.yml", content: text }, new NoOperationTraceWriter());
  if (value !== undefined) await convertWorkflowTemplate(context, value);
  return context.errors.getErrors().map(({ message }) => message);
}

/** The same of an action.yml. */
export async function actionFaults(text: string): Promise<readonly string[]> {
  loaded ??= loadParser();
  const { NoOperationTraceWriter, parseAction } = await loaded;
  const { context } = parseAction({ name: "action.yml", content: text }, new NoOperationTraceWriter());
  return context.errors.getErrors().map(({ message }) => message);
}

/** It imports JSON as bundlers do, and Node does not. */
async function loadParser(): Promise<typeof Parser & typeof ActionParser> {
  const folder = await mkdtemp(join(tmpdir(), "imgpack-workflow-parser-"));
  try {
    const outfile = join(folder, "parser.mjs");
    const names = ["@actions/workflow-parser", "@actions/workflow-parser/actions/index"];
    const contents = names.map(name => `export * from "${name}";`).join("");
    const stdin = { contents, resolveDir: fileURLToPath(new URL(".", import.meta.url)) };
    await build({ stdin, outfile, bundle: true, format: "esm", logLevel: "error" });
    return (await import(/* @vite-ignore */ pathToFileURL(outfile).href)) as typeof Parser & typeof ActionParser;
  } finally {
    await rm(folder, { recursive: true });
  }
}
