import { describe, expect, test } from "vitest";
import type { Answer } from "../../../../src/cli/completion/answer/answer.ts";
import { completeLine } from "../../../../src/cli/completion/answer/complete-line.ts";
import type { NameSources } from "../../../../src/cli/completion/answer/name-sources.ts";
import { commandDefinitions } from "../../../../src/cli/definitions/command-definitions.ts";

const commands = await commandDefinitions();
const NAMES: NameSources = {
  isPath: async word => word.startsWith("/") || word.startsWith("folder/"),
  hosts: async () => ["registry.lan:5000", "docker.io"],
  repositories: async (host, start) =>
    ["team/app", "tools"].filter(name => name.startsWith(start) && host !== "docker.io"),
  tags: async (_repository, start) => ["2.0", "1.0"].filter(tag => tag.startsWith(start)),
};

/** Completes the last word, or the one before the mark "|". */
async function answerTo(line: string): Promise<Answer> {
  const words = line.split(" ");
  const marked = words.findIndex(word => word.endsWith("|"));
  const at = marked === -1 ? words.length - 1 : marked;
  const typed = words.map((word, index) => (index === marked ? word.slice(0, -1) : word));
  return await completeLine({ words: typed, at }, () => NAMES, commands);
}

/** The words that fit what is typed. */
async function wordsFor(line: string): Promise<readonly string[]> {
  const typed =
    line
      .split(" ")
      .find(word => word.endsWith("|"))
      ?.slice(0, -1) ??
    line.split(" ").at(-1) ??
    "";
  return (await answerTo(line)).candidates.map(({ value }) => value).filter(value => value.startsWith(typed));
}

describe("completion", () => {
  test.each([
    ["catal", ["catalog"]],
    ["hub se", ["search"]],
    ["hub user c", ["create"]],
    ["help envi", ["environment"]],
    ["help hub se", ["search"]],
    ["help push x", []],
    ["nonsense ", []],
    ["completion p", ["powershell"]],
    ["completion bash ", []],
  ])("offers commands and topics: %s", async (line, expected) => {
    expect(await wordsFor(line)).toEqual(expect.arrayContaining(expected));
    expect(await wordsFor(line)).toHaveLength(expected.length);
  });

  test.each([
    ["--ver", ["--version"]],
    ["-", ["--help", "-h", "--version", "-V"]],
    ["tags x --so", ["--sort"]],
    ["push -f", ["-f"]],
    ["push --from-f", ["--from-file"]],
    ["hub search x --us", ["--username"]],
    ["hub --us", []],
    ["push --plain-http --plain", []],
    ["push --plain| --plain-http", []],
    ["push --tag a --ta", ["--tag"]],
    ["push -q --qui", []],
    ["push --ca-file a --ca", []],
    ["push --ca-file=a --ca", []],
    ["push -- --plain", []],
    ["push --plain| -- --plain-http", ["--plain-http"]],
    ["push --to --plain", []],
  ])("offers flags that can still be given: %s", async (line, expected) => {
    expect(await wordsFor(line)).toEqual(expected);
  });

  test.each([
    ["convert --format o", ["oci"]],
    ["convert --format=o", ["--format=oci"]],
    ["convert --form| oci", ["--format"]],
    ["tags x --sort s", ["semver"]],
    ["push --compression gzip:1", ["gzip:1"]],
    ["pull x --volume-size d", ["dvd"]],
    ["pull x --platform linux/amd64,linux/arm6", ["linux/amd64,linux/arm64"]],
    ["pull x --platform linux/amd64,linux/am", []],
    ["push d", ["docker://"]],
    ["convert a.tar pod", ["podman://"]],
    ["pull x -o cont", ["containerd://"]],
    ["pull x --output=a,", []],
    ["push --plain-http=t", []],
    ["push --nonsense=t", []],
    ["push --concurrency ", []],
  ])("offers values: %s", async (line, expected) => {
    expect(await wordsFor(line)).toEqual(expected);
  });

  test.each([
    ["push ", "files", ".tar"],
    ["push a b", "files", ".tar"],
    ["push -- -", "files", ".tar"],
    ["push --ca-file ", "files", ".pem"],
    ["push --ca-file=", "files", ".pem"],
    ["push -f ", "files", ".lock"],
    ["pull x -o ", "files", undefined],
    ["serve --store ", "folders", undefined],
    ["mirrors x -o ", "folders", undefined],
    ["inspect ", "files", ".tar"],
    ["pull ", "none", undefined],
    ["push --tag ", "none", undefined],
    ["tags a b ", "none", undefined],
    ["push --quiet| ", "none", undefined],
  ])("offers files and folders where they belong: %s", async (line, files, ending) => {
    const answer = await answerTo(line);
    expect(answer.files).toBe(files);
    expect(answer.endings[0]).toBe(ending);
    expect(answer.prefix).toBe(line.endsWith("=") ? "--ca-file=" : "");
  });

  test.each([
    ["login reg", ["registry.lan:5000"]],
    ["push --registry reg", ["registry.lan:5000"]],
    ["push --registry=reg", ["--registry=registry.lan:5000"]],
    ["hub login v1", ["v1://registry.lan:5000", "v1://docker.io"]],
    ["pull reg", ["registry.lan:5000/"]],
    ["pull registry.lan:50", ["registry.lan:5000/"]],
    ["pull registry.lan:5000/t", ["registry.lan:5000/team/app:", "registry.lan:5000/tools:"]],
    ["pull registry.lan:5000/team/app:1", ["registry.lan:5000/team/app:1.0"]],
    ["pull a:1 b:", ["b:2.0", "b:1.0"]],
    ["pull team/app:2", ["team/app:2.0"]],
    ["pull x:1 --base team/app:2", ["team/app:2.0"]],
    ["pull v1://old.lan/app:2", ["v1://old.lan/app:2.0"]],
    ["pull v1://old.lan/", []],
    ["pull registry.lan:5000/team/app@sha256:", []],
    ["pull registry.lan:5000/team/*:", []],
    ["pull docker.io/", []],
    ["pull other.lan:50", []],
    ["tags registry.lan:5000/t", ["registry.lan:5000/team/app", "registry.lan:5000/tools"]],
    ["tags registry.lan:5000/team/app:", []],
    ["inspect folder/team/app:", []],
    ["inspect /team/app:", []],
    ["inspect team/app:1", ["team/app:1.0"]],
    ["push registry.lan:5000/team/app:", []],
    ["push --tag registry.lan:5000/team/app:1", ["registry.lan:5000/team/app:1.0"]],
  ])("offers names: %s", async (line, expected) => {
    expect(await wordsFor(line)).toEqual(expected);
  });

  test("says what each command and flag is", async () => {
    for (const line of ["", "push -", "hub ", "help "]) {
      for (const { value, text } of (await answerTo(line)).candidates) expect(text, value).not.toBe("");
    }
  });
});
