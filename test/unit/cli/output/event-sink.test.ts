import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { remoteOptions } from "../../../../src/cli/flags/remote-flags.ts";
import { Progress } from "../../../../src/cli/progress/progress.ts";
import type { OnProgress } from "../../../../src/index.ts";

interface Flags {
  readonly quiet?: boolean;
  readonly progress?: string;
}

const SINKS: readonly (readonly [string, (stderr: Writable, flags: Flags) => Promise<OnProgress>])[] = [
  [
    "a command that moves layers",
    async (stderr, flags) => new Progress({ stdout: stderr, stderr }, flags, "Pushing").onProgress,
  ],
  [
    "a query",
    async (stderr, flags) => {
      const context = { stdout: stderr, stderr, signal: new AbortController().signal };
      return (await remoteOptions(flags, context)).onProgress ?? (() => undefined);
    },
  ],
];

async function printed(open: (typeof SINKS)[number][1], flags: Flags): Promise<string> {
  const texts: string[] = [];
  const stderr = new Writable({
    write(chunk, _encoding, done) {
      texts.push(String(chunk));
      done();
    },
  });
  const onProgress = await open(stderr, flags);
  onProgress({ kind: "note", message: "a note" });
  return texts.join("");
}

describe.each(SINKS)("stderr of %s", (_, open) => {
  test.each<[Flags, string]>([
    [{}, "a note\n"],
    [{ progress: "none" }, "a note\n"],
    [{ progress: "json" }, '{"kind":"note","message":"a note"}\n'],
    [{ quiet: true }, ""],
    [{ quiet: true, progress: "json" }, ""],
  ])("with the flags %j is %j", async (flags, expected) => {
    expect(await printed(open, flags)).toBe(expected);
  });
});
