import { describe, expect, test } from "vitest";
import { UsageError } from "../../../../src/errors.ts";
import { type ImportSettings, readSettings } from "../../../../src/verbs/import/import-settings.ts";

describe("readSettings()", () => {
  test.each<[string, readonly string[]]>([
    ['["/bin/app","-v"]', ["/bin/app", "-v"]],
    ["/bin/app -v", ["/bin/sh", "-c", "/bin/app -v"]],
    ["[ -f /x ] && y", ["/bin/sh", "-c", "[ -f /x ] && y"]],
    ['"app"', ["/bin/sh", "-c", '"app"']],
  ])("takes the command %s by Docker's rule", (text, words) => {
    expect(readSettings({ entrypoint: text, cmd: text }).runtime).toMatchObject({ entrypoint: words, cmd: words });
  });

  test("gives a line to Windows' own shell on windows", () => {
    expect(readSettings({ cmd: "dir", platform: "windows/amd64", workdir: "C:\\app" }).runtime).toMatchObject({
      cmd: ["cmd", "/S", "/C", "dir"],
      workingDir: "C:\\app",
    });
  });

  test("keeps variables in their order and knows labels with an equals sign in the value", () => {
    const { runtime } = readSettings({ env: ["B=", "A=x=y"], label: ["k=v=w"], expose: ["80", "53/UDP"] });
    expect(runtime).toMatchObject({ env: ["B=", "A=x=y"], exposedPorts: ["80/tcp", "53/udp"] });
    expect({ ...runtime.labels }).toEqual({ k: "v=w" });
  });

  test.each<[ImportSettings, string, number]>([
    [{}, "1970-01-01T00:00:00Z", 0],
    [{ sourceDateEpoch: "" }, "1970-01-01T00:00:00Z", 0],
    [{ sourceDateEpoch: "1700000000" }, "2023-11-14T22:13:20Z", 1_700_000_000],
    [{ created: "2024-05-01T14:00:00+02:00", sourceDateEpoch: "1" }, "2024-05-01T12:00:00Z", 1_714_564_800],
    [{ created: "2024-05-01t12:00:00.25z" }, "2024-05-01T12:00:00.250Z", 1_714_564_800],
    [{ created: "1969-12-31T23:59:59Z" }, "1969-12-31T23:59:59Z", 0],
    [{ created: "now" }, "2030-01-02T03:04:05Z", 1_893_553_445],
  ])("reads the time of %j", (settings, created, mtime) => {
    const now = (): Date => new Date("2030-01-02T03:04:05.678Z");
    expect(readSettings(settings, now)).toMatchObject({ created, mtime });
  });

  test.each<[ImportSettings, string]>([
    [{ env: ["FOO"] }, 'Cannot use --env "FOO": found no "=", expected NAME=VALUE'],
    [{ env: ["=1"] }, 'Cannot use --env "=1": found no name, expected NAME=VALUE'],
    [{ env: ["A B=1"] }, 'Cannot use --env "A B=1": found a blank in the name, expected NAME=VALUE'],
    [{ env: ["A=1", "A=2"] }, 'Cannot use --env "A=2": found "A" a second time, expected each name once'],
    [{ label: ["x"] }, 'Cannot use --label "x": found no "=", expected KEY=VALUE'],
    [
      { expose: ["70000"] },
      'Cannot use --expose "70000": found no port, expected 1 to 65535, alone or with /tcp, /udp or /sctp',
    ],
    [
      { expose: ["80/icmp"] },
      'Cannot use --expose "80/icmp": found no port, expected 1 to 65535, alone or with /tcp, /udp or /sctp',
    ],
    [{ user: "a b" }, 'Cannot use --user "a b": found another syntax, expected USER or USER:GROUP, names or numbers'],
    [{ workdir: "srv" }, 'Cannot use --workdir "srv": found no absolute path, expected one such as /app'],
    [{ volume: ["C:\\x"] }, 'Cannot use --volume "C:\\x": found no absolute path, expected one such as /app'],
    [{ cmd: "[]" }, 'Cannot use --cmd "[]": found an empty list, expected such as ["/bin/app","-v"]'],
    [
      { entrypoint: "[1]" },
      'Cannot use --entrypoint "[1]": found a list with other things than text, expected such as ["/bin/app","-v"]',
    ],
    [
      { created: "2024-02-30T00:00:00Z" },
      'Cannot use --created "2024-02-30T00:00:00Z": found no time, expected RFC 3339 such as 2024-05-01T12:00:00Z, or "now"',
    ],
    [
      { created: "yesterday" },
      'Cannot use --created "yesterday": found no time, expected RFC 3339 such as 2024-05-01T12:00:00Z, or "now"',
    ],
    [{ sourceDateEpoch: "1.5" }, 'Cannot use SOURCE_DATE_EPOCH "1.5": no time, expected whole seconds since 1970'],
  ])("refuses %j", (settings, message) => {
    expect(() => readSettings(settings)).toThrow(new UsageError(message));
  });
});
