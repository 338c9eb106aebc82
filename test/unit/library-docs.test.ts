// The tables of docs/LIBRARY.md: functions, options and their flags, error classes.
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test, vi } from "vitest";
import { commandDefinitions } from "../../src/cli/definitions/command-definitions.ts";
import * as library from "../../src/index.ts";

const DOCUMENT = readFileSync(new URL("../../docs/LIBRARY.md", import.meta.url), "utf8");

afterEach(() => void vi.restoreAllMocks());

/** The rows of the table below a heading, as cells. */
function rows(heading: string): readonly (readonly string[])[] {
  const section = DOCUMENT.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const lines = section.split("\n").filter(line => line.startsWith("| "));
  return lines.slice(1).map(line => line.split("|").map(cell => cell.trim()));
}

function wordsIn(text: string, pattern: RegExp): readonly string[] {
  return [...text.matchAll(pattern)].map(([, word = ""]) => word);
}

describe("docs/LIBRARY.md", () => {
  test("the table of functions lists all of them", () => {
    const listed = rows("Functions").map(([, name = ""]) => name.match(/^`(\w+)\(/)?.[1]);
    const functions = Object.entries(library).filter(([, value]) => !/^class/.test(String(value)));
    expect(listed.toSorted()).toEqual(functions.map(([name]) => name).sort());
  });

  test("the table of errors has their codes and exit codes", () => {
    const errors = [
      new library.InternalError("message"),
      new library.UsageError("message"),
      new library.BadReferenceError("message"),
      new library.ArchiveError("reason", "message"),
      new library.AuthError("message"),
      new library.NotFoundError("message"),
      new library.IntegrityError("message"),
      new library.NetworkError("message"),
      new library.EngineError("message"),
      new library.RegistryError("message", { status: 500 }),
      new library.StorageError("message"),
      new library.PartialError("message", []),
    ];
    const expected = errors.map(({ name, code, exitCode }) => [`\`${name}\``, `\`${code}\``, `${exitCode}`]);
    expect(rows("Error classes").map(cells => cells.slice(1, 4).map(cell => cell.split(";")[0]))).toEqual(expected);
  });

  test("every flag of every command has its option in the table, or is named as one that has none", async () => {
    const commands = (await commandDefinitions()).filter(({ subcommands }) => subcommands.length === 0);
    const flags = new Set(commands.flatMap(command => command.flags.map(({ name }) => `--${name}`)));
    for (const flag of ["--help", "--version"]) flags.add(flag);
    const options = DOCUMENT.split("\n## Options\n")[1]?.split("\n## ")[0] ?? "";
    expect([...new Set(wordsIn(options, /`(--[a-z0-9-]+)`/g))].sort()).toEqual([...flags].sort());
  });

  test("options have the names of their flags", () => {
    const differing: string[] = [];
    for (const [, option = "", flag = ""] of rows("Options")) {
      const names = wordsIn(option.replace(/:.*$/, ""), /`([\w.]+)`/g).map(name => name.split(".").at(-1) ?? "");
      const flags = wordsIn(flag, /`--([a-z0-9-]+)`/g).map(name =>
        name.replace(/-(\w)/g, (_, c: string) => c.toUpperCase()),
      );
      if (flags.length > 0 && names.join() !== flags.join()) differing.push(`${names.join()} ${flags.join()}`);
    }
    // Values that a command line cannot have: texts of files, secrets, functions, numbers with a unit; and groups.
    expect(differing).toEqual([
      "host registry",
      "password passwordStdin",
      "token tokenStdin",
      "ca caFile",
      "clientCertificate certFile,keyFile",
      "count retry",
      "timeoutMs timeout",
      "outageMs outage",
      "v1Endpoint endpoint",
      "sign sign,signPassphraseFile",
      "referrers noReferrers",
      "v1Checksums noV1Checksums",
      "confirm yes",
      "tls certFile,keyFile",
      "remove gc,yes",
      "onEvent log",
      "onProgress progress",
    ]);
  });
});
