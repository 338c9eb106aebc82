import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { type ImgpackError, NetworkError } from "../../errors.ts";
import { errorCode } from "../../util/error-code.ts";
import { storageState } from "../../util/system-fault.ts";
import { engineRefusal, type Reached } from "../engine-fault.ts";

/** A program that is asked instead of an API. */
export interface EngineCommand extends Reached {
  readonly program: string;
  readonly env: NodeJS.ProcessEnv;
}

/** A running command, its output not read yet. */
export interface RunningCommand {
  readonly child: ChildProcessWithoutNullStreams;
  /** Settles with undefined after success, else with what the program says. Never rejects. */
  readonly ended: Promise<string | undefined>;
}

export const MAX_OUTPUT_BYTES: number = 32 * 1024 * 1024;
/** What a program says last is why it failed. */
const MAX_STDERR_BYTES = 16 * 1024;

/**
 * Starts a program, never through a shell. An abort kills it.
 *
 * @param isApart keeps Ctrl-C of the terminal from it.
 * @throws NetworkError if there is no such program; the signal's reason.
 */
export async function startCommand(
  { program, env, ...reached }: EngineCommand,
  args: readonly string[],
  signal: AbortSignal | undefined,
  isApart = false,
): Promise<RunningCommand> {
  signal?.throwIfAborted();
  const detached = isApart && process.platform !== "win32";
  const child = spawn(program, args, { env, stdio: ["pipe", "pipe", "pipe"], windowsHide: true, detached });
  const kill = (): void => void child.kill("SIGKILL");
  signal?.addEventListener("abort", kill, { once: true });
  child.once("close", () => signal?.removeEventListener("abort", kill));
  // The writer of stdin sees that the program has ended by its exit.
  child.stdin.on("error", () => undefined);
  let said = Buffer.alloc(0);
  child.stderr.on("data", (part: Buffer) => {
    said = Buffer.concat([said, part]).subarray(-MAX_STDERR_BYTES);
  });
  const ended = new Promise<string | undefined>(resolve => {
    child.once("close", (code, killed) => {
      if (code === 0) return resolve(undefined);
      resolve(said.toString("utf8").trim() || (killed === null ? `exit status ${code}` : `killed by ${killed}`));
    });
  });
  try {
    await once(child, "spawn");
  } catch (cause) {
    throw noProgram(program, reached, cause);
  }
  child.on("error", () => undefined);
  return { child, ended };
}

/**
 * What a program prints.
 *
 * @param deed for messages.
 * @throws as `startCommand`; EngineError with what it says.
 */
export async function outputOf(
  command: EngineCommand,
  args: readonly string[],
  deed: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const { child, ended } = await startCommand(command, args, signal);
  child.stdin.end();
  const parts: Buffer[] = [];
  let bytes = 0;
  child.stdout.on("data", (part: Buffer) => {
    bytes += part.length;
    if (bytes > MAX_OUTPUT_BYTES) child.kill("SIGKILL");
    else parts.push(part);
  });
  const failure = await ended;
  signal?.throwIfAborted();
  if (failure !== undefined) throw engineRefusal(deed, failure);
  return Buffer.concat(parts).toString("utf8");
}

function noProgram(program: string, { what, hints }: Reached, cause: unknown): ImgpackError {
  const found = errorCode(cause) === "ENOENT" ? `no program ${program} in PATH` : storageState(cause);
  return new NetworkError(`Cannot reach ${what}: ${found}, expected one that runs`, { cause, hint: hints.start });
}
