// A real terminal: a shell in tmux, on a server of its own that ends with it.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
/** For output that never comes. */
const MAX_WAIT_MS = 20_000;
const PROMPT = "$ ";
const SETTINGS = `
set -g status off
set -g default-terminal tmux-256color
set -g history-limit 1000
`;

export interface TerminalOptions {
  readonly columns: number;
  readonly rows: number;
  readonly cwd: string;
  /** All that programs on the terminal get, next to TERM, LANG and PATH. */
  readonly env: Readonly<Record<string, string>>;
}

export class TmuxTerminal implements AsyncDisposable {
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;
  /** Says when the terminal gets output. */
  #watcher: ChildProcess | undefined;
  #wake: () => void = () => undefined;
  #hasOutput = true;

  private constructor(folder: string, env: NodeJS.ProcessEnv) {
    this.#folder = folder;
    this.#env = env;
  }

  /** Starts a shell and waits for its prompt. */
  static async start({ columns, rows, cwd, env }: TerminalOptions): Promise<TmuxTerminal> {
    const folder = await mkdtemp(join(tmpdir(), "imgpack-tmux-"));
    const profile = join(folder, "profile");
    // dash takes no PS1 of the environment.
    await writeFile(profile, `PS1='${PROMPT}'\n`);
    const all = { PATH: process.env["PATH"], LANG: "C.UTF-8", ...env, ENV: profile };
    const terminal = new TmuxTerminal(folder, all);
    const size = ["-x", `${columns}`, "-y", `${rows}`];
    const settings = join(folder, "tmux.conf");
    await writeFile(settings, SETTINGS);
    await terminal.#tmux("-f", settings, "new-session", "-d", ...size, "-c", cwd, "sh");
    // A server that has this setting before its first session ends (tmux 3.3a).
    await terminal.#tmux("set", "-g", "window-size", "manual", ";", "resize-window", ...size);
    terminal.#watch();
    await terminal.until(([first = ""]) => first.startsWith(PROMPT.trim()), "a prompt");
    return terminal;
  }

  /** All rows, with those that scrolled away and without empty ones at the end. @param look `-e` keeps colours. */
  async shown(...look: readonly string[]): Promise<readonly string[]> {
    const words = ["capture-pane", "-p", "-S", "-", ...look];
    const rows = (await this.#tmux(...words)).split("\n").map(row => row.trimEnd());
    return rows.slice(0, rows.findLastIndex(row => row !== "") + 1);
  }

  /** Waits until what is shown is as expected; looks at it after each output. */
  async until(isExpected: (rows: readonly string[]) => boolean, what: string): Promise<readonly string[]> {
    const isLate = AbortSignal.timeout(MAX_WAIT_MS);
    isLate.addEventListener("abort", () => this.#wake(), { once: true });
    for (;;) {
      this.#hasOutput = false;
      const rows = await this.shown();
      if (isExpected(rows)) return rows;
      if (isLate.aborted || this.#watcher?.exitCode !== null)
        throw new Error(`the terminal did not show ${what}:\n${rows.join("\n")}`);
      await new Promise<void>(resolve => {
        this.#wake = resolve;
        if (this.#hasOutput || isLate.aborted) resolve();
      });
    }
  }

  /** Waits for the prompt after a command that has ended. */
  async prompt(): Promise<readonly string[]> {
    return await this.until(rows => rows.length > 1 && rows.at(-1) === PROMPT.trim(), "the next prompt");
  }

  /** Leaves the prompt alone. */
  async clear(): Promise<void> {
    await this.enter("clear; tmux clear-history");
    await this.until(rows => rows.length === 1, "an empty screen");
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux("resize-window", "-x", `${columns}`, "-y", `${rows}`);
  }

  /** Types text, without Enter. */
  async type(text: string): Promise<void> {
    await this.#tmux("send-keys", "-l", text);
  }

  /** Presses keys, such as `Enter` or `C-c`. */
  async press(...keys: readonly string[]): Promise<void> {
    await this.#tmux("send-keys", ...keys);
  }

  async enter(text: string): Promise<void> {
    await this.type(text);
    await this.press("Enter");
  }

  /** Whether the cursor is visible, and lines wrap. */
  async flags(): Promise<{ readonly hasCursor: boolean; readonly isWrapping: boolean }> {
    const flags = (await this.#tmux("display-message", "-p", "#{cursor_flag}#{wrap_flag}")).trim();
    return { hasCursor: flags[0] === "1", isWrapping: flags[1] === "1" };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const watcher = this.#watcher;
    const ended = watcher === undefined || watcher.exitCode !== null ? undefined : once(watcher, "exit");
    await this.#tmux("kill-server").catch(() => undefined);
    await ended;
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** A client in control mode gets all output of the terminal, whose size it leaves alone. */
  #watch(): void {
    const words = ["-S", this.#socket, "-C", "attach", "-f", "ignore-size,read-only"];
    const watcher = spawn("tmux", words, { env: this.#env, stdio: ["pipe", "pipe", "ignore"] });
    const wake = (): void => {
      this.#hasOutput = true;
      this.#wake();
    };
    watcher.stdout.on("data", wake);
    watcher.on("exit", wake);
    this.#watcher = watcher;
  }

  get #socket(): string {
    return join(this.#folder, "socket");
  }

  async #tmux(...words: readonly string[]): Promise<string> {
    const { stdout } = await run("tmux", ["-u", "-S", this.#socket, ...words], { env: this.#env });
    return stdout;
  }
}
