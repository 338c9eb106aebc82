// The command as a process of its own, bundled from the sources as they are now.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { onTestFinished } from "vitest";
import type { Outcome } from "./command-line.ts";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** Bundles the CLI and its worker threads into a folder. */
export async function bundleCommand(folder: string): Promise<void> {
  const common = {
    absWorkingDir: ROOT,
    outdir: folder,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20.19",
    logLevel: "error",
    banner: {
      js: 'import{createRequire as $createRequire}from"node:module";const require=$createRequire(import.meta.url);',
    },
  } as const;
  await build({ ...common, entryPoints: ["src/bin.ts"], splitting: true, outExtension: { ".js": ".mjs" } });
  await build({
    ...common,
    entryPoints: ["src/compress/gzip/gzip-thread.mjs", "src/content/hash-thread.mjs"],
    entryNames: "[name]",
    outExtension: { ".js": ".mjs" },
  });
}

export interface RunningCommand {
  readonly child: ChildProcessWithoutNullStreams;
  readonly outcome: Promise<Outcome & { readonly signal: NodeJS.Signals | null }>;
}

/** Starts the bundled command; stdin is empty unless `input` says otherwise. */
export function startCommand(
  folder: string,
  words: readonly string[],
  { input = "", env = {} }: { readonly input?: string | Uint8Array; readonly env?: NodeJS.ProcessEnv } = {},
): RunningCommand {
  const child = spawn(process.execPath, [join(folder, "bin.mjs"), ...words], { env: { ...process.env, ...env } });
  onTestFinished(() => void child.kill("SIGKILL"));
  child.stdin.end(input);
  const parts = { stdout: "", stderr: "" };
  child.stdout.on("data", (part: Buffer) => {
    parts.stdout += part.toString();
  });
  child.stderr.on("data", (part: Buffer) => {
    parts.stderr += part.toString();
  });
  const outcome = new Promise<Outcome & { readonly signal: NodeJS.Signals | null }>(resolve => {
    child.on("close", (code, signal) => resolve({ exitCode: code ?? -1, signal, ...parts }));
  });
  return { child, outcome };
}
