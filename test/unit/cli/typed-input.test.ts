import { Readable } from "node:stream";
import { afterEach, expect, test, vi } from "vitest";
import { ownEnvironment, runCommand, said } from "../../support/command-line.ts";

ownEnvironment();

afterEach(() => {
  vi.restoreAllMocks();
});

test.each([
  [["push", "-", "--registry", "127.0.0.1:9"], "archive"],
  [["verify", "-"], "archive"],
  [["doctor", "-"], "archive"],
  [["inspect", "-"], "archive"],
  [["convert", "-", "out.tar"], "archive"],
  [["push", "--from-file", "-"], "list"],
  [["pull", "--from-file", "-", "-o", "out.tar"], "list"],
  [["tags", "127.0.0.1:9/app", "--username", "ci", "--password-stdin"], "password"],
])("imgpack %s does not wait for what nobody types", async (words, what) => {
  vi.spyOn(process, "stdin", "get").mockReturnValue({ isTTY: true } as never);
  const outcome = await runCommand(...words);
  expect(outcome).toMatchObject({ exitCode: 2, stdout: "" });
  expect(said(outcome)[0]).toBe(`Cannot read ${what} from stdin: it is a terminal, expected a pipe or a file`);
  expect(said(outcome)[1]).toMatch(/^Pipe it in/);
});

test.each([[["inspect", "-"]], [["push", "-"]]])("imgpack %s reads stdin for one purpose", async words => {
  vi.spyOn(process, "stdin", "get").mockReturnValue(Readable.from(["secret"]) as never);
  const outcome = await runCommand(...words, "--registry", "127.0.0.1:9", "--username", "ci", "--password-stdin");
  expect(outcome).toMatchObject({ exitCode: 2, stdout: "" });
  expect(said(outcome)[0]).toContain("Cannot read stdin: given 2 times, expected one archive, one list or one secret");
});

test("imgpack import - says that a root filesystem cannot come from stdin", async () => {
  const outcome = await runCommand("import", "-", "-t", "127.0.0.1:9/base:1");
  expect(outcome.exitCode).toBe(2);
  expect(said(outcome)[0]).toBe("Cannot import from stdin: it can be read only once, expected a file or a folder");
});
