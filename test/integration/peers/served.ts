import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { COMMAND } from "../../support/command.ts";
import type { RunOptions } from "./run.ts";

export interface Served {
  readonly url: string;
  readonly host: string;
  /** Sends the signal, SIGTERM unless another is named, and gives exit code and the signal that ended it. */
  end(signal?: NodeJS.Signals): Promise<readonly [number | null, NodeJS.Signals | null]>;
}

/** `imgpack serve` on a free port, as a script would start it. */
export async function startServe(store: string): Promise<Served> {
  const [file, ...first] = COMMAND;
  return await startServer(file, [...first, "serve", "--store", store, "--listen", "127.0.0.1:0", "--log", "none"]);
}

/**
 * A command that becomes `imgpack serve`: its first line is the URL.
 * @throws {Error} if it ends without one
 */
export async function startServer(
  file: string,
  args: readonly string[],
  { cwd, env }: Pick<RunOptions, "cwd" | "env"> = {},
): Promise<Served> {
  const child = spawn(file, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface(child.stdout);
  const ended = once(lines, "close").then((): never => {
    throw new Error(`${[file, ...args].join(" ")}: ended without a URL`);
  });
  const [url = ""] = (await Promise.race([once(lines, "line"), ended])) as string[];
  ended.catch(() => undefined);
  return {
    url,
    host: new URL(url).host,
    async end(signal = "SIGTERM") {
      const ended = once(child, "exit");
      child.kill(signal);
      const [code, by] = (await ended) as [number | null, NodeJS.Signals | null];
      return [code, by];
    },
  };
}
