// A shell on a real terminal, with keys typed into it: `script` makes the terminal, xterm.js keeps its screen.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import xterm from "@xterm/headless";

const COLUMNS = 120;
const ROWS = 50;
/** What a busy machine needs for a key is a fraction of it. */
const DEADLINE_MS = 30_000;

export interface ShellStart {
  /** For the shell that starts it: the shell, with its flags. */
  readonly command: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export class LiveShell implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #terminal = new xterm.Terminal({ cols: COLUMNS, rows: ROWS, scrollback: 0, allowProposedApi: true });
  #onChange = (): void => undefined;

  constructor({ command, cwd, env }: ShellStart) {
    const sized = `stty cols ${COLUMNS} rows ${ROWS}; exec ${command}`;
    this.#child = spawn("script", ["-qefc", sized, "/dev/null"], {
      cwd,
      env: { ...process.env, TERM: "xterm", SHELL: "/bin/sh", ...env },
    });
    this.#child.stdin.on("error", () => undefined);
    this.#child.stdout.on("data", (bytes: Buffer) => this.#terminal.write(bytes, () => this.#onChange()));
    // Shells ask terminals what they are.
    this.#terminal.onData(answer => this.#child.stdin.write(answer));
  }

  /** The rows of the screen, without empty ones. */
  get rows(): readonly string[] {
    const { active } = this.#terminal.buffer;
    const all = Array.from({ length: ROWS }, (_, row) => active.getLine(row)?.translateToString(true) ?? "");
    return all.map(row => row.trimEnd()).filter(row => row !== "");
  }

  type(keys: string): void {
    this.#child.stdin.write(keys);
  }

  /** Waits for what appears on the screen. @throws {Error} with the screen, if it does not appear. */
  async until<T>(find: (rows: readonly string[]) => T | undefined): Promise<T> {
    return await new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#onChange = () => undefined;
        reject(new Error(`Not shown within ${DEADLINE_MS / 1000} s. The screen:\n${this.rows.join("\n")}`));
      }, DEADLINE_MS);
      this.#onChange = () => {
        const found = find(this.rows);
        if (found === undefined) return;
        clearTimeout(timer);
        this.#onChange = () => undefined;
        resolve(found);
      };
      this.#onChange();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const end = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await end;
    this.#terminal.dispose();
  }
}
