import { describe, expect, test } from "vitest";
import { runCommand } from "../../support/command-line.ts";

describe("main() refuses a command line", () => {
  test.each<[readonly string[], string, string]>([
    [["push"], "Cannot run push: no input given, expected at least one", "imgpack push"],
    [["inspect"], "Cannot run inspect: no input given, expected at least one", "imgpack inspect"],
    [["tag", "a:1"], "Cannot run tag: only 1 given, expected at least 2", "imgpack tag"],
    [["push", "a.tar", "--frob"], 'Cannot run push: unknown flag "--frob", expected a flag of push', "imgpack push"],
    [
      ["push", "a.tar", "--frob=1", "--grob"],
      'Cannot run push: unknown flag "--frob", "--grob", expected a flag of push',
      "imgpack push",
    ],
    [["hub", "login", "a", "b"], 'Cannot run hub: unknown argument "b", expected none', "imgpack hub login"],
    [
      ["hub"],
      "Cannot run hub: no command named, expected login, user, repo, images, token, auth or search",
      "imgpack hub",
    ],
    [
      ["digest", "a.lan/x", "b.lan/x"],
      'Cannot run digest: unknown argument "b.lan/x", expected none',
      "imgpack digest",
    ],
    [["pull", "a:1", "-o"], "Cannot run pull: -o has no value, expected one", "imgpack pull"],
    [["pull", "a:1", "-o", ""], "Cannot use --output: its value is empty, expected one", "imgpack pull"],
    [["pull", "", "-o", "x"], 'Cannot use argument "references": its value is empty, expected one', "imgpack pull"],
    [["hub", "search", ""], 'Cannot use argument "term": its value is empty, expected one', "imgpack hub search"],
    [["tag", "r.lan/a:1", ""], 'Cannot use argument "tag": its value is empty, expected one', "imgpack tag"],
    [["convert", "a.tar", ""], 'Cannot use argument "files": its value is empty, expected one', "imgpack convert"],
    [["pull", "a:1", "-o", "x", "-o", "y"], "Cannot use --output: given 2 times, expected once", "imgpack pull"],
    [["push", "a.tar", "--registry", ""], "Cannot use --registry: its value is empty, expected one", "imgpack push"],
    [
      ["push", "a.tar", "--registry", "a", "--registry", "b"],
      "Cannot use --registry: given 2 times, expected once",
      "imgpack push",
    ],
    [["push", "a.tar", "--tag"], "Cannot run push: --tag has no value, expected one", "imgpack push"],
    [["push", "a.tar", "--tag", ""], "Cannot use --tag: its value is empty, expected one", "imgpack push"],
    [["push", "a.tar", "--concurrency"], "Cannot run push: --concurrency has no value, expected one", "imgpack push"],
    [
      ["pull", "a:1", "-o", "x", "--progress", "loud"],
      'Cannot use --progress "loud": unknown value, expected one of auto, plain, json, none',
      "imgpack pull",
    ],
  ])("main() refuses %j", async (words, message, command) => {
    expect(await runCommand(...words)).toEqual({
      exitCode: 2,
      stdout: "",
      stderr: `${message}\nSee "${command} --help".\n`,
    });
  });

  test("main() shows the form of a pull without --output", async () => {
    expect(await runCommand("pull", "a:1")).toEqual({
      exitCode: 2,
      stdout: "",
      stderr: "Cannot run pull: --output missing, expected a value\nFor example: imgpack pull a:1 --output a.tar\n",
    });
  });

  test.each<[readonly string[], string]>([
    [["frobnicate"], 'Cannot run "frobnicate": unknown command'],
    [["\u001b[31mpush"], 'Cannot run "\\u{1b}[31mpush": unknown command'],
  ])("main() names a few commands when it refuses %j", async (words, message) => {
    const stderr = `${message}, expected one such as push or pull\nSee "imgpack --help".\n`;
    expect(await runCommand(...words)).toEqual({ exitCode: 2, stdout: "", stderr });
  });

  test("main() puts a refused command line on stdout as one object with --json", async () => {
    const { stdout, exitCode } = await runCommand("push", "--json");
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toEqual({
      error: {
        code: "ERR_USAGE",
        message: "Cannot run push: no input given, expected at least one",
        hint: 'See "imgpack push --help".',
      },
    });
  });

  test("main() takes --tag, --image and --platform several times", async () => {
    const { stderr } = await runCommand(
      "push",
      "/nonexistent/a.tar",
      "--tag",
      "x.y/a:1",
      "--tag",
      "x.y/a:2",
      "--image",
      "a",
      "--image",
      "b",
    );
    expect(stderr).toMatch(/^Cannot read archive "\/nonexistent\/a\.tar": no such file/);
  });

  test.each([["-v"], ["-qv"]])("main() prints the causes of an error with %s, as with --verbose", async letters => {
    const words = ["push", "/nonexistent/a.tar"];
    const verbose = await runCommand(...words, "--verbose");
    expect(verbose.stderr).toMatch(/\n {2}because: /);
    expect(await runCommand(...words, letters)).toEqual(verbose);
  });
});
