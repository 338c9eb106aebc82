// Real shells on a real terminal: what the TAB key makes of a line.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { listing } from "../unit/verbs/query/listed-registry.ts";
import { describeWith } from "./peers/describe-with.ts";
import { type Desk, LEFT, makeDesk, type ShellName, ShellUser, TAB, writeSettings } from "./shells/shell-user.ts";

const FILES = [
  "my file.tar",
  "it's.tar",
  "ar.txt",
  "archive.tar",
  "co:lon.tar",
  "--odd.tar",
  "folder/in.tar",
  "forest.tar",
];
const CONFIG = { auths: { "registry.lan:5000": {}, "https://index.docker.io/v1/": {}, "10.0.0.1": {} } };
const LOAD: Readonly<Record<ShellName, string>> = {
  bash: 'eval "$(imgpack completion bash)"',
  zsh: 'eval "$(imgpack completion zsh)"',
  fish: "imgpack completion fish | source",
};
const FUNCTION: Readonly<Record<ShellName, string>> = {
  bash: "imgpack() { printf 'none\\t*\\t\\nfrom-function\\t\\n'; }",
  zsh: "imgpack() { printf 'none\\t*\\t\\nfrom-function\\t\\n'; }",
  fish: "function imgpack; printf 'none\\t*\\t\\nfrom-function\\t\\n'; end",
};

async function deskOf(name: ShellName, lines: readonly string[] = [LOAD[name]]): Promise<Desk> {
  const desk = await makeDesk(FILES);
  await mkdir(join(desk.home, ".docker"));
  await writeFile(join(desk.home, ".docker/config.json"), JSON.stringify(CONFIG));
  await writeFile(join(desk.home, "list of images.txt"), "");
  await writeSettings(name, desk, lines);
  return desk;
}

async function startRegistry(): Promise<ScriptedRegistry> {
  const tags = ["1.0", "2.0-rc", "2.1", "\u001B[31mred", "$(touch x)", "a b"];
  return await ScriptedRegistry.start({
    faults: [
      listing(/^GET \/v2\/team\/app\/tags\/list/, "tags", tags),
      listing(/^GET \/v2\/_catalog/, "repositories", ["team/app", "other/thing", "x;reboot"]),
    ],
  });
}

for (const name of ["bash", "zsh", "fish"] as const) {
  describeWith([name, "script"], `completion in ${name}`, () => {
    let desk: Desk;
    let user: ShellUser;
    beforeAll(async () => {
      desk = await deskOf(name);
      user = await ShellUser.start(name, desk);
    });
    afterAll(async () => {
      await user?.[Symbol.asyncDispose]();
      await desk?.[Symbol.asyncDispose]();
    });

    test.each([
      ["a command", "imgpack catal", "imgpack catalog", "<catalog>"],
      ["a command of hub", "imgpack hub sea", "imgpack hub search", "<hub><search>"],
      ["a choice of an argument", "imgpack hub user cre", "imgpack hub user create", "<hub><user><create>"],
      ["a flag", "imgpack push --plain", "imgpack push --plain-http", "<push><--plain-http>"],
      [
        "a choice",
        "imgpack convert --format uni",
        "imgpack convert --format universal",
        "<convert><--format><universal>",
      ],
      [
        "a choice after =",
        "imgpack convert --format=uni",
        "imgpack convert --format=universal",
        "<convert><--format=universal>",
      ],
      [
        "the next of a list",
        "imgpack pull --platform linux/amd64,linux/arm6",
        "imgpack pull --platform linux/amd64,linux/arm64",
        "<pull><--platform><linux/amd64,linux/arm64>",
      ],
      ["a file name with a space", "imgpack push my", "imgpack push my\\ file.tar", "<push><my file.tar>"],
      ["a file name in quotes", 'imgpack push "my', 'imgpack push "my file.tar"', "<push><my file.tar>"],
      [
        "a file name after an escaped space",
        "imgpack push my\\ f",
        "imgpack push my\\ file.tar",
        "<push><my file.tar>",
      ],
      ["a file of a flag", "imgpack pull x -o my", "imgpack pull x -o my\\ file.tar", "<pull><x><-o><my file.tar>"],
      [
        "a file after =",
        "imgpack pull x --output=my",
        "imgpack pull x --output=my\\ file.tar",
        "<pull><x><--output=my file.tar>",
      ],
      ["a file below the home", "imgpack pull -f ~/li", "imgpack pull -f ~/list\\ of\\ images.txt", "HOME"],
      [
        "a file that looks like a flag, after --",
        "imgpack push -- --od",
        "imgpack push -- --odd.tar",
        "<push><--><--odd.tar>",
      ],
      [
        "a folder where a folder belongs",
        "imgpack serve --store fo",
        "imgpack serve --store folder/",
        "<serve><--store><folder/>",
      ],
      ["a file in a folder", "imgpack push folder/", "imgpack push folder/in.tar", "<push><folder/in.tar>"],
      ["an engine", "imgpack push dock", "imgpack push docker://", "<push><docker://>"],
      ["a known registry", "imgpack login regis", "imgpack login registry.lan:5000", "<login><registry.lan:5000>"],
      [
        "the start of a reference",
        "imgpack pull regis",
        "imgpack pull registry.lan:5000/",
        "<pull><registry.lan:5000/>",
      ],
    ])("completes %s", async (_what, typed, line, words) => {
      const expected = words === "HOME" ? `<pull><-f><${desk.home}/list of images.txt>` : words;
      // zsh removes a slash at the end when the line is run.
      expect((await user.runs(`${typed}${TAB}`, line)).replace("/>", ">")).toBe(expected.replace("/>", ">"));
    });

    test("completes a word in the middle of the line", async () => {
      const keys = `imgpack pull x --outp y${LEFT}${LEFT}${TAB}`;
      // zsh adds a space of its own.
      await user.typesTo(keys, name === "zsh" ? "imgpack pull x --output  y" : "imgpack pull x --output y");
      expect(await user.command()).toBe("<pull><x><--output><y>");
    });

    test("completes repositories and tags of a registry, and leaves out what no name can be", async () => {
      const { host } = await startRegistry();
      expect(await user.runs(`imgpack pull ${host}/oth${TAB}`, `imgpack pull ${host}/other/thing:`)).toBe(
        `<pull><${host}/other/thing:>`,
      );
      expect(await user.runs(`imgpack pull ${host}/team/app:1${TAB}`, `imgpack pull ${host}/team/app:1.0`)).toBe(
        `<pull><${host}/team/app:1.0>`,
      );
      const shown = (await user.sees(`imgpack pull ${host}/team/app:${TAB}${TAB}`, "1.0", "2.0-rc", "2.1")).join("\n");
      expect(shown).not.toContain("red");
      expect(shown).not.toContain("touch");
    });

    test("says nothing where a registry does not answer, and types on", async () => {
      const registry = await startRegistry();
      await registry.close();
      await user.typesTo(
        `imgpack pull ${registry.host}/team/app:${TAB}1.0`,
        `imgpack pull ${registry.host}/team/app:1.0`,
      );
    });

    test("leaves out a flag that is given", async () => {
      await user.typesTo(`imgpack push --plain-http --plain${TAB}x`, "imgpack push --plain-http --plainx");
      await user.typesTo(`imgpack push --tag a --ta${TAB}`, "imgpack push --tag a --tag");
    });

    test("offers archives before other files", async () => {
      if (name === "fish") {
        await user.sees(`imgpack push ar${TAB}`, "archive.tar", "ar.txt");
        return;
      }
      await user.typesTo(`imgpack push ar${TAB}`, "imgpack push archive.tar");
      await user.typesTo(`imgpack push ar.${TAB}`, "imgpack push ar.txt");
    });

    test("completes a colon in a file name, and after a redirection", async () => {
      const word = name === "bash" ? "co\\:lon.tar" : "co:lon.tar";
      expect(await user.runs(`imgpack verify co${TAB}`, `imgpack verify ${word}`)).toBe("<verify><co:lon.tar>");
      await user.typesTo(`imgpack tags x > forest${TAB}`, "imgpack tags x > forest.tar");
    });

    test("completes for a command that is typed with its path", async () => {
      const path = join(desk.programs, "imgpack").replace(" ", "\\ ");
      expect(await user.runs(`${path} catal${TAB}`, `${path} catalog`)).toBe("<catalog>");
    });

    test.each([`"`, `'`])("completes for a command whose path is in quotes: %s", async quote => {
      const path = `${quote}${join(desk.programs, "imgpack")}${quote}`;
      expect(await user.runs(`${path} catal${TAB}`, `${path} catalog`)).toBe("<catalog>");
    });

    test("asks the function of this name, if there is one", async () => {
      await using other = await deskOf(name, [LOAD[name], FUNCTION[name]]);
      await using second = await ShellUser.start(name, other);
      await second.typesTo(`imgpack from-f${TAB}`, "imgpack from-function");
    });
  });
}
