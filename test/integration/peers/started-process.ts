import { spawn } from "node:child_process";
import { findTool } from "./run.ts";

export interface StartedProcess {
  hasEnded(): boolean;
  /** The last 256 KiB of stdout and stderr together. */
  log(): string;
  /** TERM, and KILL for what is left after ten seconds; resolves when the process is gone. */
  stop(): Promise<void>;
}

const keptLog = 256 * 1024;

/** Starts a server. The caller waits until it answers, and must call stop(). @param enter words before its command */
export function startProcess(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
  enter: readonly string[] = [],
): StartedProcess {
  const [first = command, ...rest] = [...enter, findTool(command) ?? command, ...args];
  const child = spawn(first, rest, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  let hasEnded = false;
  const note = (text: string): void => {
    log = (log + text).slice(-keptLog);
  };
  child.stdout.setEncoding("utf8").on("data", note);
  child.stderr.setEncoding("utf8").on("data", note);
  const ended = new Promise<void>(resolve => {
    const end = (): void => {
      hasEnded = true;
      resolve();
    };
    child.once("error", error => {
      note(String(error));
      end();
    });
    // Not "close": grandchildren may hold the pipes longer than the server lives.
    child.once("exit", end);
  });
  return {
    hasEnded: () => hasEnded,
    log: () => log,
    async stop() {
      if (hasEnded) return;
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await ended;
      clearTimeout(timer);
    },
  };
}
