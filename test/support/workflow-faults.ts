import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type * as Parser from "@actions/workflow-parser";
import { build } from "esbuild";

let loaded: Promise<typeof Parser> | undefined;

/** What GitHub's own parser of workflows finds wrong in one. */
export async function workflowFaults(text: string): Promise<readonly string[]> {
  loaded ??= loadParser();
  const { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } = await loaded;
  const { context, value } = parseWorkflow({ name: "copy.yml", content: text }, new NoOperationTraceWriter());
  if (value !== undefined) await convertWorkflowTemplate(context, value);
  return context.errors.getErrors().map(({ message }) => message);
}

/** It imports JSON as bundlers do, and Node does not. */
async function loadParser(): Promise<typeof Parser> {
  const folder = await mkdtemp(join(tmpdir(), "imgpack-workflow-parser-"));
  try {
    const outfile = join(folder, "parser.mjs");
    await build({ entryPoints: ["@actions/workflow-parser"], outfile, bundle: true, format: "esm", logLevel: "error" });
    return (await import(/* @vite-ignore */ pathToFileURL(outfile).href)) as typeof Parser;
  } finally {
    await rm(folder, { recursive: true });
  }
}
