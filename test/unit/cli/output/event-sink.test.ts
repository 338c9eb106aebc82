import { Writable } from "node:stream";
import { afterEach, describe, expect, test, vi } from "vitest";
import { remoteRun } from "../../../../src/cli/flags/remote-flags.ts";
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
      return (await remoteRun(flags, context)).options.onProgress;
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

describe("a query that waits", () => {
  afterEach(() => void vi.useRealTimers());

  test("says so every few seconds, has one line for many retries, and is silent after its end", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
    const texts: string[] = [];
    const stderr = new Writable({
      write(chunk, _encoding, done) {
        texts.push(String(chunk));
        done();
      },
    });
    const shown = (): string => texts.splice(0).join("");
    const { options, progress } = await remoteRun({}, { stdout: stderr, stderr, signal: new AbortController().signal });
    const wait = { registry: "registry.lan:5000", what: "tags of team/app" };
    vi.advanceTimersByTime(4000);
    expect(shown()).toBe("Reading: no progress for 4 s\n");
    options.onProgress({ kind: "step", step: "names", done: 1000 });
    options.onProgress({ kind: "waiting", ...wait, reason: "answer", waitedMs: 2000 });
    vi.advanceTimersByTime(9000);
    expect(shown()).toBe(
      "Looking up names: 1000\nLooking up names: 1000: waiting for registry.lan:5000: no answer to tags of team/app for 8 s\n",
    );
    for (let attempt = 1; attempt <= 5; attempt += 1)
      options.onProgress({ kind: "retry", ...wait, attempt, waitMs: 1000, message: "Cannot list tags: 503" });
    expect(shown()).toBe("Cannot list tags: 503; retrying in 1 s\n");
    progress.end();
    expect(shown()).toBe("registry.lan:5000: 4 more requests were sent again\n");
    vi.advanceTimersByTime(60_000);
    expect(shown()).toBe("");
  });
});
