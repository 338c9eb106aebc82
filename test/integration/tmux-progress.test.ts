// What stays on a real terminal of several sizes while blobs move, when its size changes, and afterwards.
import { describe, expect, onTestFinished, test } from "vitest";
import { SHELL_COMMAND } from "../support/command.ts";
import { seededBytes, storeImage, temporaryFolder } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { TmuxTerminal } from "../support/terminal/tmux-terminal.ts";
import { findTool } from "./peers/run.ts";

const LAYER = 4 * 1024 * 1024;
const BLOB = /^ {2}[0-9a-f]{12} /;

interface Scene {
  readonly terminal: TmuxTerminal;
  /** Lets all blobs end. */
  readonly release: () => void;
}

/** A terminal, and on it a pull whose layers stop after half of their bytes. */
async function slowPull(columns: number, rows: number, layers: number, isDamaged = false): Promise<Scene> {
  let release: () => void = () => undefined;
  const until = new Promise<void>(resolve => {
    release = resolve;
  });
  onTestFinished(() => release());
  const blobs = Array.from({ length: layers }, (_, index) => seededBytes(`tmux ${index}`, LAYER));
  const stalls = blobs.map(blob => ({
    on: new RegExp(`^GET .*/blobs/${sha256(blob)}`),
    stall: { after: LAYER / 2, until },
    times: isDamaged ? 10 : 1,
    change: ({ body }: { readonly body: Buffer }) =>
      isDamaged ? { body: Buffer.concat([body.subarray(1), body.subarray(0, 1)]) } : {},
  }));
  const registry = await ScriptedRegistry.start({ faults: stalls });
  storeImage(registry.content, blobs);
  const cwd = await temporaryFolder();
  const terminal = await TmuxTerminal.start({ columns, rows, cwd, env: { HOME: cwd, NO_COLOR: "1" } });
  onTestFinished(async () => await terminal[Symbol.asyncDispose]());
  await terminal.enter(`alias imgpack="${SHELL_COMMAND}"; clear`);
  await terminal.until(shown => shown.length === 1, "an empty screen");
  // At the top of a screen that is empty below, tmux moves rows to its history when lines are wrapped again.
  await terminal.enter(`seq ${rows}`);
  await terminal.prompt();
  await terminal.enter(`imgpack pull ${registry.host}/app:1 -o out.tar --concurrency 16`);
  return { terminal, release };
}

/** Rows of blobs that are half done and waited for, which have all that a row can have. */
function isStill(count: number): (rows: readonly string[]) => boolean {
  return rows => rows.filter(row => BLOB.test(row) && row.includes("waiting")).length === count;
}

describe.skipIf(findTool("tmux") === undefined)("imgpack pull on a terminal of tmux", () => {
  test.each([
    [40, /^Pulling 6.0 MiB of 12.0 MiB/, /^ {2}\w{12} waiting, \d+ s$/],
    [
      80,
      /^\[={5} {5}\] Pulling 1 of 4 blobs, 6.0 MiB of 12.0 MiB/,
      /^ {2}\w{12} \[={5} {5}\] 2.0 MiB of 4.0 MiB, waiting/,
    ],
    [
      200,
      /^\[={12} {12}\] Pulling 1 of 4 blobs, 6.0 MiB of 12.0 MiB/,
      /^ {2}\w{12} \[={12} {12}\] 2.0 MiB of 4.0 MiB, waiting for 127/,
    ],
  ])(
    "of %i columns has a line for the totals and one for each blob, and then the result alone",
    async (columns, totals, blob) => {
      const { terminal, release } = await slowPull(columns, 24, 3);
      const rows = await terminal.until(isStill(3), "three blobs that stand still");
      expect(rows.filter(row => totals.test(row))).toHaveLength(1);
      expect(rows.filter(row => blob.test(row))).toHaveLength(3);
      release();
      expectResult(await terminal.prompt());
    },
  );

  test("that becomes narrower, wider and lower keeps one line for each, and leaves nothing behind", async () => {
    const { terminal, release } = await slowPull(200, 24, 12);
    await terminal.until(isStill(6), "the blobs under way");
    const sizes = [
      [80, 24, 6],
      [40, 24, 6],
      [120, 6, 3],
      [200, 24, 6],
    ] as const;
    for (const [columns, rows, blobs] of sizes) {
      await terminal.resize(columns, rows);
      const more = blobs < 6 ? [`  and ${6 - blobs} more`] : [];
      const isRight = (shown: readonly string[]): boolean =>
        isStill(blobs)(shown) && shown.every(row => row.length < columns || !/Pulling|MiB/.test(row));
      const shown = await terminal.until(isRight, `${blobs} blobs in ${columns} columns`);
      expect(
        shown.filter(row => /Pulling/.test(row)),
        shown.join("\n"),
      ).toHaveLength(1);
      expect(shown.filter(row => / more$/.test(row))).toEqual(more);
    }
    release();
    expectResult(await terminal.prompt());
  });

  test.each([
    ["Ctrl-C", "Stopped by SIGINT"],
    ["an error", "Cannot accept"],
  ])("leaves the cursor and the wrapping of lines as they were after %s", async (cause, expected) => {
    const { terminal, release } = await slowPull(80, 24, 3, cause === "an error");
    await terminal.until(isStill(3), "three blobs that stand still");
    if (cause === "Ctrl-C") await terminal.press("C-c");
    else release();
    const rows = await terminal.prompt();
    expect(rows.join("\n")).toContain(expected);
    expect(rows.some(row => BLOB.test(row) || row.includes("Pulling"))).toBe(false);
    expect(await terminal.flags()).toEqual({ hasCursor: true, isWrapping: true });
  });
});

/** The command, and what it prints at its end. */
function expectResult(rows: readonly string[]): void {
  expect(rows.some(row => BLOB.test(row) || row.includes("Pulling") || row.includes(" more"))).toBe(false);
  const text = rows.join("");
  expect(text).toMatch(/\d\$ imgpack pull .*app:1@sha256:.*Pulled \d+ blobs/);
  expect(text.match(/Pulled/g)).toHaveLength(1);
}
