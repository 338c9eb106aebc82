import { UsageError } from "../errors.ts";
import type { Context } from "./context.ts";

const CONTROL_C = "\u0003";
const CONTROL_D = "\u0004";
const CONTROL_U = "\u0015";
const ERASERS: ReadonlySet<string> = new Set(["\u007f", "\b"]);

/** An interactive terminal. */
export interface Terminal {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
}

/** Reads a line that the terminal shows while it is typed. @throws UsageError when the input is cancelled. */
export async function askLine(question: string, { input, output, signal }: Terminal): Promise<string> {
  output.write(question);
  return (await readLine(input, signal)).trim();
}

/** Reads a line without showing it. @throws UsageError when the input is cancelled. */
export async function askSecret(question: string, { input, output, signal }: Terminal): Promise<string> {
  output.write(question);
  input.setRawMode(true);
  try {
    return await readLine(input, signal);
  } finally {
    input.setRawMode(false);
    output.write("\n");
  }
}

/** Asks for a yes. @param text what is about to happen, in one sentence. @returns false for any other answer. */
export async function askToConfirm(text: string, { stderr, signal }: Context): Promise<boolean> {
  const { createInterface } = await import("node:readline/promises");
  // Not as a terminal: Ctrl+C must reach the process as a signal.
  const terminal = createInterface({ input: process.stdin, output: stderr, terminal: false });
  const ended = new Promise<string>(resolve => {
    terminal.once("close", () => resolve("no"));
  });
  try {
    const answer = await Promise.race([terminal.question(`${text}\nContinue? [y/N] `, { signal }), ended]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}

/** Reads keys until the end of the line. A raw terminal does no editing, so the editing keys are handled here. */
async function readLine(input: NodeJS.ReadStream, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  input.setEncoding("utf8");
  const stop: (() => void)[] = [];
  try {
    return await new Promise<string>((resolve, reject) => {
      let typed: string[] = [];
      const cancel = (found: string): void =>
        reject(new UsageError(`Cannot read from the terminal: ${found}, expected one line`));
      const onData = (text: string): void => {
        for (const key of text) {
          if (key === "\r" || key === "\n") resolve(typed.join(""));
          else if (key === CONTROL_C || key === CONTROL_D) cancel("input cancelled");
          else if (ERASERS.has(key)) typed.pop();
          else if (key === CONTROL_U) typed = [];
          else if (key >= " ") typed.push(key);
        }
      };
      const onEnd = (): void => cancel("input closed");
      const onAbort = (): void => reject(signal.reason);
      input.on("data", onData).once("end", onEnd);
      signal.addEventListener("abort", onAbort, { once: true });
      stop.push(() => {
        input.off("data", onData).off("end", onEnd);
        signal.removeEventListener("abort", onAbort);
      });
      input.resume();
    });
  } finally {
    for (const undo of stop) undo();
    input.pause();
  }
}
