// What a real terminal shows: `script` runs the command on one.
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { SHELL_COMMAND } from "../support/command.ts";
import { FakeTerminal } from "../support/fake-terminal.ts";
import { dockerArchive, fileWith, seededBytes, temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { findTool } from "./peers/run.ts";

const run = promisify(execFile);

/** What the command writes to a terminal of this size. */
async function onTerminal(columns: number, rows: number, words: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const log = join(await temporaryFolder(), "typescript");
  const command = `stty cols ${columns} rows ${rows}; ${SHELL_COMMAND} ${words}`;
  const { CI: _, ...own } = process.env;
  await run("script", ["-qec", command, log], { env: { ...own, TERM: "xterm", ...env } });
  const text = await readFile(log, "utf8");
  return text.split("\n").slice(1, -3).join("\n");
}

describe.skipIf(findTool("script") === undefined)("imgpack push on a terminal", () => {
  test.each([80, 40])("of %i columns draws in place, and leaves its result alone", async columns => {
    const { host } = await ScriptedRegistry.start();
    const path = await fileWith(dockerArchive({ tags: ["app:1"], layers: [seededBytes("slow", 700 * 1024)] }));
    const text = await onTerminal(columns, 10, `push ${path} --registry ${host} --limit-rate 500K`);
    const terminal = new FakeTerminal(columns, 10);
    const shown: string[] = [];
    for (const part of text.split(/(?<=\r)/)) {
      terminal.write(part);
      shown.push(...terminal.shown);
    }
    expect(shown.some(row => /Pushing .*KiB/.test(row))).toBe(true);
    expect(shown.some(row => /^ {2}[0-9a-f]{12} /.test(row))).toBe(true);
    const last = terminal.shown.join("");
    expect(last).toContain(`${host}/app:1@sha256:`);
    expect(last).toMatch(/Pushed \d blobs/);
    expect(last).not.toContain("Pushing");
  });

  test("that is dumb writes no sequence at all", async () => {
    const { host } = await ScriptedRegistry.start();
    const path = await fileWith(dockerArchive({ tags: ["app:1"] }));
    const text = await onTerminal(80, 10, `push ${path} --registry ${host}`, { TERM: "dumb", NO_COLOR: "1" });
    expect(text).toContain("Pushed");
    expect(text).not.toContain("\u001B");
  });
});
