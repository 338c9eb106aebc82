// The command as a process of its own.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { onTestFinished } from "vitest";
import { COMMAND } from "./command.ts";
import type { Outcome } from "./command-line.ts";

export interface RunningCommand {
  readonly child: ChildProcessWithoutNullStreams;
  readonly outcome: Promise<Outcome & { readonly signal: NodeJS.Signals | null }>;
}

/** Starts the command; stdin is empty unless `input` says otherwise. */
export function startCommand(
  words: readonly string[],
  { input = "", env = {} }: { readonly input?: string | Uint8Array; readonly env?: NodeJS.ProcessEnv } = {},
): RunningCommand {
  const [file, ...first] = COMMAND;
  const child = spawn(file, [...first, ...words], { env: { ...process.env, ...env } });
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
