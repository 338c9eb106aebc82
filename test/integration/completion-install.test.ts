// The install lines of docs/COMPLETION.md, in new shells: as a person, for all users, and for other names of the command.
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { COMMAND } from "../support/command.ts";
import { describeWith } from "./peers/describe-with.ts";
import { run } from "./peers/run.ts";
import { type Desk, makeDesk, type ShellName, ShellUser, TAB, writeSettings } from "./shells/shell-user.ts";

/** Where a shell finds a script by itself, below the home; and what its settings need for that. */
const FOUND: Readonly<Record<ShellName, readonly [file: string, ...settings: string[]]>> = {
  bash: [
    ".local/share/bash-completion/completions/imgpack",
    // Without the package bash-completion, what it does: bash calls the loader, and completes again after 124.
    "if [ -e /usr/share/bash-completion/bash_completion ]; then . /usr/share/bash-completion/bash_completion",
    "else load() { . ~/.local/share/bash-completion/completions/$1 && return 124; }; complete -D -F load; fi",
  ],
  zsh: ["functions/_imgpack", "fpath=(~/functions $fpath)", "compinit -u -D"],
  fish: [".config/fish/completions/imgpack.fish"],
};
/** How a shell learns another name. */
const OTHER_NAME: Readonly<Record<ShellName, readonly string[]>> = {
  bash: ['eval "$(imgpack completion bash)"', "alias pack=imgpack", "complete -F _imgpack pack other-name"],
  zsh: ['eval "$(imgpack completion zsh)"', "alias pack=imgpack", "compdef _imgpack other-name"],
  fish: ["imgpack completion fish | source", "alias pack=imgpack", "complete -c other-name -w imgpack"],
};

async function scriptFor(name: ShellName): Promise<string> {
  const [file, ...words] = COMMAND;
  const { code, stdout, stderr } = await run(file, [...words, "completion", name]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

async function install(name: ShellName, { home }: Desk): Promise<void> {
  const path = join(home, FOUND[name][0]);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, await scriptFor(name));
}

for (const name of ["bash", "zsh", "fish"] as const) {
  describeWith([name, "script"], `completion that is installed in ${name}`, () => {
    test("works from a file that the shell finds by itself, from the first TAB on", async () => {
      await using desk = await makeDesk(["my file.tar"]);
      await install(name, desk);
      await writeSettings(name, desk, FOUND[name].slice(1));
      await using user = await ShellUser.start(name, desk);
      expect(await user.runs(`imgpack hub sea${TAB}`, "imgpack hub search")).toBe("<hub><search>");
      expect(await user.runs(`imgpack push my${TAB}`, "imgpack push my\\ file.tar")).toBe("<push><my file.tar>");
    });

    test("works for an alias, and for another name", async () => {
      await using desk = await makeDesk([]);
      await symlink(join(desk.programs, "imgpack"), join(desk.programs, "other-name"));
      await writeSettings(name, desk, OTHER_NAME[name]);
      await using user = await ShellUser.start(name, desk);
      expect(await user.runs(`pack catal${TAB}`, "pack catalog")).toBe("<catalog>");
      expect(await user.runs(`other-name catal${TAB}`, "other-name catalog")).toBe("<catalog>");
    });
  });
}
