// Somebody who types at a prompt, in a home and a folder of their own.
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SHELL_COMMAND } from "../../support/command.ts";
import { createTempFolder } from "../peers/temp-folder.ts";
import { LiveShell } from "./live-shell.ts";

export type ShellName = "bash" | "zsh" | "fish";

const PROMPT = "READY>";
export const TAB = "\t";
export const LEFT = "\u001B[D";
const ENTER = "\r";
/** Goes to the end of the line, clears it, then the screen. */
const CLEAR = "\u0005\u0015\u000C";

const START: Readonly<Record<ShellName, string>> = {
  bash: "bash --noprofile --rcfile ~/.bashrc -i",
  zsh: "zsh -i",
  fish: "fish -i",
};
/** Where each shell reads commands at its start, and those without which a screen says less. */
const SETTINGS: Readonly<Record<ShellName, readonly [file: string, ...lines: string[]]>> = {
  bash: [
    ".bashrc",
    `PS1='${PROMPT} '`,
    "bind 'set enable-bracketed-paste off'",
    "bind 'set bell-style none'",
    "bind 'set page-completions off'",
  ],
  zsh: [
    ".zshrc",
    `PS1='${PROMPT} '`,
    "unsetopt beep prompt_sp",
    "bindkey -e",
    "autoload -U compinit",
    "compinit -u -D",
  ],
  fish: [
    ".config/fish/config.fish",
    `function fish_prompt; echo -n '${PROMPT} '; end`,
    "function fish_greeting; end",
    "set -g fish_color_autosuggestion normal",
    "set -g fish_autosuggestion_enabled 0",
  ],
};
/** How the words of the line that is run are shown. */
const SHOW = `for word in "$@"; do printf '<%s>' "$word"; done; echo`;

export interface Desk extends AsyncDisposable {
  readonly home: string;
  /** Where the shell starts. */
  readonly folder: string;
  /** A folder whose name contains a space, with the command in it. */
  readonly programs: string;
}

/** A home, a folder with these files, and the command. It completes; anything else that it is asked to do, it only shows. */
export async function makeDesk(files: readonly string[]): Promise<Desk> {
  const { path: root, remove } = await createTempFolder();
  const desk = {
    home: join(root, "home"),
    folder: join(root, "desk"),
    programs: join(root, "my programs"),
    [Symbol.asyncDispose]: remove,
  };
  for (const folder of [desk.home, desk.folder, desk.programs]) await mkdir(folder);
  for (const file of files) {
    const path = join(desk.folder, file);
    await mkdir(join(path, ".."), { recursive: true });
    await (file.endsWith("/") ? mkdir(path) : writeFile(path, ""));
  }
  const program = join(desk.programs, "imgpack");
  const lines = ["#!/bin/sh", `case $1 in __complete|completion) exec ${SHELL_COMMAND} "$@";; esac`, SHOW];
  await writeFile(program, `${lines.join("\n")}\n`);
  await chmod(program, 0o755);
  return desk;
}

/** Adds lines to what a shell reads at its start. */
export async function writeSettings(name: ShellName, { home }: Desk, lines: readonly string[]): Promise<void> {
  const [file, ...first] = SETTINGS[name];
  await mkdir(join(home, file, ".."), { recursive: true });
  await writeFile(join(home, file), `${[...first, ...lines].join("\n")}\n`);
}

export class ShellUser implements AsyncDisposable {
  readonly #shell: LiveShell;

  private constructor(shell: LiveShell) {
    this.#shell = shell;
  }

  /** @param env in addition to that of the tests. @param enter words before those of the shell, as of `Namespace`. */
  static async start(
    name: ShellName,
    desk: Desk,
    env: Readonly<Record<string, string>> = {},
    enter: readonly string[] = [],
  ): Promise<ShellUser> {
    const none = ["IMGPACK_REGISTRY", "REGISTRY_AUTH_FILE", "DOCKER_AUTH_CONFIG", "DOCKER_CONFIG", "XDG_RUNTIME_DIR"];
    const shell = new LiveShell({
      command: [...enter, START[name]].join(" "),
      cwd: desk.folder,
      env: {
        ...Object.fromEntries(none.map(variable => [variable, undefined])),
        HOME: desk.home,
        ZDOTDIR: desk.home,
        XDG_CONFIG_HOME: join(desk.home, ".config"),
        XDG_DATA_HOME: join(desk.home, ".local/share"),
        IMGPACK_CACHE_DIR: join(desk.home, "cache"),
        PATH: `${desk.programs}:${process.env["PATH"]}`,
        LC_ALL: "C.UTF-8",
        ...env,
      },
    });
    const user = new ShellUser(shell);
    await user.#prompt();
    return user;
  }

  /** Types keys, and waits until the line is as expected. */
  async typesTo(keys: string, expected: string): Promise<void> {
    await this.#clear();
    this.#shell.type(keys);
    const row = `${PROMPT} ${expected}`.trimEnd();
    await this.#shell.until(rows => (rows.includes(row) ? true : undefined));
  }

  /** The rows of the screen, without empty ones. */
  get screen(): readonly string[] {
    return this.#shell.rows;
  }

  /** As `typesTo`, and runs the line. @returns the words that the command gets, as `<word><word>` */
  async runs(keys: string, expected: string): Promise<string> {
    await this.typesTo(keys, expected);
    return await this.command();
  }

  /** Runs what is typed. @returns the first row that is printed */
  async command(): Promise<string> {
    this.#shell.type(ENTER);
    return await this.#shell.until(rows => (this.#isPrompt(rows) ? rows.find(row => row.startsWith("<")) : undefined));
  }

  /** Types keys, and waits until all texts are shown somewhere. @returns the rows below the line */
  async sees(keys: string, ...texts: readonly string[]): Promise<readonly string[]> {
    await this.#clear();
    this.#shell.type(keys);
    return await this.#shell.until(rows => {
      const below = rows.slice(rows.findLastIndex(row => row.startsWith(PROMPT)) + 1);
      const shown = below.length > 0 ? below : rows;
      return texts.every(text => shown.some(row => row.includes(text))) ? shown : undefined;
    });
  }

  /** Runs any line, and waits for the next prompt. */
  async does(line: string): Promise<void> {
    await this.#clear();
    this.#shell.type(`${line}${ENTER}`);
    await this.#shell.until(rows => (rows.length > 1 ? this.#isPrompt(rows) : undefined));
  }

  async #clear(): Promise<void> {
    this.#shell.type(CLEAR);
    await this.#shell.until(rows => (rows.length === 1 ? this.#isPrompt(rows) : undefined));
  }

  async #prompt(): Promise<void> {
    await this.#shell.until(rows => this.#isPrompt(rows));
  }

  #isPrompt(rows: readonly string[]): true | undefined {
    return rows.at(-1) === PROMPT ? true : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#shell[Symbol.asyncDispose]();
  }
}
