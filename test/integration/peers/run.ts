import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { constants as osConstants } from "node:os";
import { delimiter, join } from "node:path";

export interface RunOptions {
  readonly cwd?: string;
  /** Added to the own environment; undefined takes a name away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string | Uint8Array;
  /** Default 60,000; a program that takes longer is killed and the promise rejects. */
  readonly timeoutMs?: number;
}

export interface RunResult {
  /** Exit status; 128 plus the signal's number after a signal, as shells count. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout before decoding. */
  readonly stdoutBytes: Buffer;
}

// Daemons are in sbin, which an ordinary user's PATH leaves out.
const systemFolders = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** The path of an installed program, undefined when PATH and the sbin folders have none. */
export function findTool(name: string): string | undefined {
  for (const folder of [...(process.env["PATH"] ?? "").split(delimiter), ...systemFolders]) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not in this folder
    }
  }
  return undefined;
}

/**
 * Runs a program without a shell and waits for its end; any exit status resolves.
 * @throws {Error} when the program cannot start or runs longer than timeoutMs
 */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const timeoutMs = options.timeoutMs ?? 60_000;
  return new Promise((resolve, reject) => {
    const child = spawn(findTool(command) ?? command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: "pipe",
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    // A program that ends without reading its input breaks the pipe; its status tells the rest.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input);
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      const shown = [command, ...args].join(" ");
      reject(new Error(`Cannot run ${shown}: still running after ${timeoutMs} ms\n${Buffer.concat(stderr)}`));
    }, timeoutMs);
    child.once("error", error => {
      clearTimeout(timer);
      reject(error);
    });
    child.once("close", (status, signal) => {
      clearTimeout(timer);
      const code = status ?? 128 + (signal === null ? 0 : osConstants.signals[signal]);
      const stdoutBytes = Buffer.concat(stdout);
      resolve({ code, stdout: stdoutBytes.toString(), stderr: Buffer.concat(stderr).toString(), stdoutBytes });
    });
  });
}
