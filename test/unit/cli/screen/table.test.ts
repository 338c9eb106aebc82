import { describe, expect, test } from "vitest";
import { relativeDate } from "../../../../src/cli/screen/relative-date.ts";
import { table } from "../../../../src/cli/screen/table.ts";
import { textWidth } from "../../../../src/cli/screen/text-width.ts";
import { type View, viewOf, WHOLE, wrappedLines } from "../../../../src/cli/screen/view.ts";
import { FakeTerminal } from "../../../support/fake-terminal.ts";

const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;
const NAME = "registry.lan:5000/a/long/path/to/an/image/of/a/team:1.2.3";
const HEAD = ["IMAGE", "DIGEST", "PLATFORMS"];

function terminal(columns: number): View {
  return viewOf(new FakeTerminal(columns) as unknown as NodeJS.WriteStream, Date.UTC(2026, 5, 30));
}

function rows(view: View): readonly (readonly string[])[] {
  return [
    [NAME, view.digest(DIGEST), "linux/amd64,linux/arm64,linux/s390x"],
    ["app:漢字", view.digest(DIGEST), "linux/amd64"],
  ];
}

describe("table()", () => {
  test("off a terminal has whole values, however long", () => {
    const lines = [...table(HEAD, rows(WHOLE), WHOLE, [2])];
    expect(lines).toEqual([...table(HEAD, rows(WHOLE))]);
    expect(lines[1]).toBe(`${NAME}  ${DIGEST}  linux/amd64,linux/arm64,linux/s390x`);
  });

  test.each([200, 120, 100, 88, 80, 60, 40, 20])("on %i columns has whole names, and rows that fit", columns => {
    const view = terminal(columns);
    const lines = [...table(HEAD, rows(view), view, [2])];
    expect(lines.join("\n")).toContain(NAME);
    for (const line of lines)
      if (!line.startsWith(NAME) || columns > 87) expect(textWidth(line), line).toBeLessThanOrEqual(columns);
  });

  test("cuts what may be cut, and then gives a name a line of its own", () => {
    const view = terminal(92);
    expect([...table(HEAD, rows(view), view, [2])]).toEqual([
      `${"IMAGE".padEnd(NAME.length)}  ${"DIGEST".padEnd(19)}  PLATFORMS`,
      `${NAME}  sha256:0123456789ab  linux/amd64…`,
      `app:漢字${" ".repeat(NAME.length - 8)}  sha256:0123456789ab  linux/amd64`,
    ]);
    const narrow = terminal(40);
    expect([...table(HEAD, rows(narrow), narrow, [2])]).toEqual([
      "IMAGE",
      "  DIGEST               PLATFORMS",
      NAME,
      "  sha256:0123456789ab  linux/amd64,linu…",
      "app:漢字",
      "  sha256:0123456789ab  linux/amd64",
    ]);
  });
});

test("wrappedLines() puts what does not fit below its value, and cuts no word", () => {
  const line = `Env        PATH=/usr/bin  ${"X".repeat(40)}  A=b`;
  expect([...wrappedLines([line], terminal(40))]).toEqual([
    "Env        PATH=/usr/bin",
    `           ${"X".repeat(40)}`,
    "           A=b",
  ]);
  expect([...wrappedLines([line], WHOLE)]).toEqual([line]);
});

test.each([
  ["2026-06-29T23:59:30Z", "30 seconds ago"],
  ["2026-06-29T22:30:00Z", "90 minutes ago"],
  ["2026-06-28T12:00:00Z", "36 hours ago"],
  ["2026-06-20T00:00:00Z", "10 days ago"],
  ["2026-06-08T00:00:00Z", "3 weeks ago"],
  ["2026-01-01T00:00:00Z", "5 months ago"],
  ["2021-01-01T00:00:00Z", "5 years ago"],
  ["1970-01-01T00:00:00Z", "1970-01-01"],
  ["2027-01-01T00:00:00Z", "2027-01-01"],
  ["no date", "no date"],
])("relativeDate() of %s is %s", (text, expected) => {
  expect(relativeDate(text, Date.UTC(2026, 5, 30))).toBe(expected);
});
