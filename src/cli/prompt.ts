import { UsageError } from "../errors.ts";

const CONTROL_C = "\u0003";
const CONTROL_D = "\u0004";
const CONTROL_U = "\u0015";
const ERASERS: ReadonlySet<string> = new Set(["\u007f", "\b"]);

/** A terminal that a person types at. */
export interface Terminal {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
}

/** A line that the terminal shows and lets edit. @throws a usage fault when it is broken off. */
export async function askLine(question: string, { input, output, signal }: Terminal): Promise<string> {
  output.write(question);
  return (await readLine(input, signal)).trim();
}

/** A line that the terminal does not show. @throws a usage fault when it is broken off. */
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

/** Reads keys up to the end of the line; a raw terminal leaves their editing to us. */
async function readLine(input: NodeJS.ReadStream, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  input.setEncoding("utf8");
  const stop: (() => void)[] = [];
  try {
    return await new Promise<string>((resolve, reject) => {
      let typed: string[] = [];
      const breakOff = (found: string): void =>
        reject(new UsageError(`Cannot read from the terminal: ${found}, expected one line`));
      const onData = (text: string): void => {
        for (const key of text) {
          if (key === "\r" || key === "\n") resolve(typed.join(""));
          else if (key === CONTROL_C || key === CONTROL_D) breakOff("it was broken off");
          else if (ERASERS.has(key)) typed.pop();
          else if (key === CONTROL_U) typed = [];
          else if (key >= " ") typed.push(key);
        }
      };
      const onEnd = (): void => breakOff("it was closed");
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
