import { expect, test } from "vitest";
import { renderingOf } from "../../../src/cli/words/rendering-of.ts";
import { ownEnvironment, runCommand } from "../../support/command-line.ts";

ownEnvironment();

test.each([
  [["ping", "--json"], "isJson"],
  [["ping", "--json=true"], "isJson"],
  [["ping", "--json", "true"], "isJson"],
  [["ping", "--json=false", "--json"], "isJson"],
  [["ping", "--json=false"], undefined],
  [["ping", "--json", "false"], undefined],
  [["ping", "--json", "--json=false"], undefined],
  [["inspect", "--", "--json", "--verbose"], undefined],
  [["ping", "-v"], "isVerbose"],
  [["ping", "-qv"], "isVerbose"],
  [["ping", "--verbose=true"], "isVerbose"],
  [["ping", "--verbose=false"], undefined],
  [["ping", "--progress", "json"], "isJsonProgress"],
  [["ping", "--progress=json"], "isJsonProgress"],
  [["ping", "--progress", "lines"], undefined],
])("%j is %s before it is parsed", (words, only) => {
  const on = Object.entries(renderingOf(words)).flatMap(([name, isOn]) => (isOn ? [name] : []));
  expect(on).toEqual(only === undefined ? [] : [only]);
});

test.each(["--json", "--json=true"])("an error is an object with %s", async flag => {
  const { stdout, exitCode } = await runCommand("digest", "a:b:c:d", flag);
  expect([JSON.parse(stdout).error.code, exitCode]).toEqual(["ERR_REFERENCE", 2]);
});
