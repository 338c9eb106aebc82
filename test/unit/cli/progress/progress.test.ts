import { Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Progress } from "../../../../src/cli/progress/progress.ts";
import { textWidth } from "../../../../src/cli/screen/text-width.ts";
import type { ProgressEvent } from "../../../../src/index.ts";
import { FakeProgressClock } from "../../../support/fake-progress-clock.ts";
import { FakeTerminal } from "../../../support/fake-terminal.ts";

const MIB = 1024 * 1024;
const DIGESTS = Array.from({ length: 12 }, (_, index) => `sha256:${index.toString(16).repeat(64)}` as const);
const RETRY = {
  kind: "retry",
  registry: "registry.lan:5000",
  status: 429,
  what: "manifest 1",
  attempt: 1,
  waitMs: 30_000,
  message: "Cannot pull manifest 1 from registry.lan:5000/app: 429 Too Many Requests",
} as const;

interface Scene {
  readonly terminal: FakeTerminal;
  readonly clock: FakeProgressClock;
  readonly progress: Progress;
  readonly report: (...events: readonly ProgressEvent[]) => void;
  /** Moves bytes of blob x; the clock is then that many seconds further. */
  readonly move: (delta: number, seconds: number) => void;
}

function start(columns: number, rows = 24, verb: "Pushing" | "Copying" = "Pushing"): Scene {
  const terminal = new FakeTerminal(columns, rows);
  const clock = new FakeProgressClock();
  const stderr = terminal as unknown as NodeJS.WriteStream;
  const progress = new Progress({ stdout: stderr, stderr }, {}, verb, clock);
  const report = (...events: readonly ProgressEvent[]): void => {
    for (const event of events) progress.onProgress(event);
  };
  const move = (delta: number, seconds: number): void => {
    report({ kind: "bytes", blob: "entry x", delta: 0 });
    clock.forward(seconds);
    report({ kind: "bytes", blob: "entry x", delta });
  };
  return { terminal, clock, progress, report, move };
}

function started(index: number, bytes: number, ends: { readonly from?: string; readonly to?: string }): ProgressEvent {
  return { kind: "started", blob: DIGESTS[index] ?? "entry none", bytes, ...ends };
}

beforeEach(() => {
  vi.stubEnv("CI", undefined);
  vi.stubEnv("TERM", "xterm");
});

afterEach(() => void vi.unstubAllEnvs());

test("a warning of the log is a line of its own, also of a quiet run and in the middle of what is drawn", () => {
  for (const quiet of [false, true]) {
    const terminal = new FakeTerminal(80, 24);
    const stderr = terminal as unknown as NodeJS.WriteStream;
    const clock = new FakeProgressClock();
    let warn: (text: string) => void = () => undefined;
    const warnBy = (show: typeof warn): void => {
      warn = show;
    };
    const log = { event: () => undefined, result: () => undefined, warnBy };
    const progress = new Progress({ stdout: stderr, stderr, log }, { quiet }, "Pushing", clock);
    progress.onProgress({ kind: "planned", blobs: 1, bytes: MIB });
    clock.forward(2);
    warn("The rest is not in the log");
    expect(terminal.shown).toEqual(["The rest is not in the log"]);
    clock.forward(2);
    expect(terminal.shown).toHaveLength(quiet ? 1 : 2);
    progress.end();
    expect(terminal.shown).toEqual(["The rest is not in the log"]);
  }
});

test("--progress json adds up the bytes of a blob for half a second, and loses none", () => {
  const texts: string[] = [];
  const stderr = new Writable({
    write(chunk, _encoding, done) {
      texts.push(String(chunk));
      done();
    },
  });
  const clock = new FakeProgressClock();
  const progress = new Progress({ stdout: stderr, stderr }, { progress: "json" }, "Pushing", clock);
  const shown = (): unknown[] => {
    const lines = texts.splice(0);
    return lines.map(line => JSON.parse(line) as unknown);
  };
  const bytes = (blob: "entry a" | "entry b", delta: number) => ({ kind: "bytes", blob, delta }) as const;
  for (let chunk = 0; chunk < 1000; chunk += 1) progress.onProgress(bytes("entry a", 5));
  expect(shown()).toEqual([]);
  clock.forward(1);
  expect(shown()).toEqual([bytes("entry a", 5000)]);
  progress.onProgress(bytes("entry a", 1));
  progress.onProgress(bytes("entry b", 2));
  progress.onProgress({ kind: "done", blob: "entry a", bytes: 5001 });
  expect(shown()).toEqual([bytes("entry a", 1), { kind: "done", blob: "entry a", bytes: 5001 }]);
  progress.end();
  expect(shown()).toEqual([bytes("entry b", 2)]);
  progress.note("a note");
  expect(shown()).toEqual([{ kind: "note", message: "a note" }]);
  expect(clock.timers).toBe(0);
});

describe("totals on a terminal", () => {
  test.each([
    [80, "[============            ] Pushing 50.0 MiB of 100 MiB, 12.5 MiB/s, 4 s left"],
    [64, "[=====     ] Pushing 50.0 MiB of 100 MiB, 12.5 MiB/s, 4 s left"],
    [40, "Pushing 50.0 MiB of 100 MiB, 4 s left"],
    [30, "Pushing 50 %"],
    [10, "50 %"],
    [3, "50"],
  ])("fit %i columns, and leave no row behind", (columns, expected) => {
    const { terminal, progress, report, move } = start(columns);
    report({ kind: "planned", blobs: 1, bytes: 100 * MIB });
    for (let second = 0; second < 4; second += 1) move(12.5 * MIB, 1);
    expect(terminal.shown).toEqual([expected.slice(0, columns)]);
    progress.end();
    expect(terminal.shown).toEqual([]);
  });

  test("have a least total and no time left until the last image is planned, whatever its bytes", () => {
    const { terminal, report, move } = start(100);
    report({ kind: "planned", images: 40, blobs: 0, bytes: 0, unplanned: 40 });
    report({ kind: "planned", blobs: 1, bytes: 5 * MIB, unplanned: -1 });
    move(4 * MIB, 4);
    // The first image would be done in a second, and nothing is known of the others.
    const first = "Pushing 0 of 40 images, 4.0 MiB of at least 5.0 MiB, 1.0 MiB/s";
    expect(terminal.shown).toEqual([`[                        ] ${first}`]);
    report({ kind: "planned", blobs: 30, bytes: 30 * MIB, unplanned: -38 });
    move(6 * MIB, 6);
    expect(terminal.shown[0]).toMatch(/10\.0 MiB of at least 35\.0 MiB, 1\.1 MiB\/s$/);
    report({ kind: "planned", blobs: 0, bytes: 0, unplanned: -1 });
    move(0, 0.2);
    expect(terminal.shown[0]).toMatch(/10\.0 MiB of 35\.0 MiB, 1\.1 MiB\/s, 2\d s left$/);
  });

  test.each([
    [70, "[=====     ] Pushing 20 of 40 images, 4.0 MiB of at least 5.0 MiB"],
    [60, "Pushing 20 of 40 images, 4.0 MiB of at least 5.0 MiB"],
    [40, "Pushing 4.0 MiB of at least 5.0 MiB"],
    [20, "Pushing 4.0 MiB"],
  ])("that grow are no percentage in %i columns", (columns, expected) => {
    const { terminal, clock, report } = start(columns);
    report({ kind: "planned", images: 40, blobs: 1, bytes: 5 * MIB, unplanned: 1 });
    for (let image = 0; image < 20; image += 1) report({ kind: "image", name: `${image}`, state: "done" });
    report({ kind: "bytes", blob: "entry x", delta: 4 * MIB });
    clock.forward(0.6);
    expect(terminal.shown).toEqual([expected]);
  });

  test("have the number of images, or that of blobs if there is only one image", () => {
    const { terminal, report, move } = start(100);
    report({ kind: "planned", images: 40, blobs: 0, bytes: 0 }, { kind: "planned", blobs: 300, bytes: 100 * MIB });
    for (const name of ["a", "b"]) report({ kind: "image", name, state: "done" });
    move(50 * MIB, 4);
    expect(terminal.shown).toEqual([
      "[============            ] Pushing 2 of 40 images, 50.0 MiB of 100 MiB, 12.5 MiB/s, 4 s left",
    ]);
    const single = start(100);
    single.report({ kind: "planned", images: 1, blobs: 3, bytes: 100 * MIB });
    single.move(50 * MIB, 4);
    expect(single.terminal.shown[0]).toContain("Pushing 0 of 3 blobs, 50.0 MiB of 100 MiB");
  });

  test("say what is read before the first blob moves", () => {
    const { terminal, clock, report } = start(80);
    clock.forward(1);
    report({ kind: "step", step: "manifests", done: 312, total: 1000 });
    expect(terminal.shown).toEqual(["[=======                 ] Reading manifests 312 of 1000"]);
    report({ kind: "planned", blobs: 1, bytes: MIB }, { kind: "bytes", blob: "entry x", delta: MIB });
    clock.forward(1);
    expect(terminal.shown[0]).toContain("Pushing 1.0 MiB of 1.0 MiB");
  });

  test("give no time before two seconds of data", () => {
    const { terminal, report, move } = start(100);
    report({ kind: "planned", blobs: 1, bytes: 7801 * MIB });
    move(MIB, 1.5);
    expect(terminal.shown[0]).not.toContain("left");
    move(99 * MIB, 0.5);
    expect(terminal.shown[0]).toContain("Pushing 100 MiB of 7.6 GiB, 50.0 MiB/s, 3 min left");
  });

  test("give no time by the first small blobs, but by ten seconds of any", () => {
    const { terminal, report, move } = start(100);
    report({ kind: "planned", blobs: 1, bytes: 7801 * MIB });
    for (let second = 0; second < 9; second += 1) move(0.1 * MIB, 1);
    expect(terminal.shown[0]).not.toContain("left");
    for (let second = 0; second < 10; second += 1) move(MIB, 1);
    expect(terminal.shown[0]).toContain("1.1 MiB/s, 2 h 4 min left");
  });

  test("have a rate without the time of an outage, of a stall, and of a machine that sleeps", () => {
    for (const pause of ["outage", "stall", "sleep"]) {
      const { terminal, clock, report, move } = start(100);
      report({ kind: "planned", blobs: 1, bytes: 1000 * MIB });
      for (let second = 0; second < 10; second += 1) move(10 * MIB, 1);
      const outage = { registry: "registry.lan", reason: "outage", what: "blob 1", waitedMs: 0 } as const;
      if (pause === "outage") {
        report({ kind: "waiting", ...outage, waitMs: 100_000, patienceMs: 600_000 });
        clock.forward(60);
        expect(terminal.shown[1]).toContain("it does not answer any more for 60 s of 10 min, next try in 4");
        report({ kind: "resumed", ...outage, waitedMs: 60_000 });
      } else if (pause === "stall") clock.forward(120);
      else clock.sleep(3600);
      for (let second = 0; second < 10; second += 1) {
        move(10 * MIB, 1);
        const [, left] = /, (\d+) s left$/.exec(terminal.shown[0] ?? "") ?? [];
        expect(left === undefined ? 100 : Number(left), pause).toBeLessThan(200);
      }
      expect(terminal.shown[0], pause).toMatch(/200 MiB of 1000 MiB, 1[01]\.\d MiB/);
      expect(terminal.shown[0], pause).toMatch(/, 2 min left$/);
    }
  });

  test.each([2.5, 3.2, 7, 16])("of a slow line have a steady rate, with a piece each %d seconds", gap => {
    const { terminal, clock, report } = start(100);
    report({ kind: "planned", blobs: 1, bytes: 100 * MIB }, started(1, 100 * MIB, { from: "quay.io" }));
    for (let piece = 0; piece < 30; piece += 1) {
      for (const part of [0.3, 0.6]) {
        clock.forward(gap * part);
        if (piece < 14) continue;
        const rate = `${(16 / gap).toFixed(1)} KiB/s`;
        expect(terminal.shown[0], `${piece}`).toContain(rate);
        expect(terminal.shown[1], `${piece}`).toContain(rate);
        expect(terminal.shown.join(), `${piece}`).not.toContain("waiting");
      }
      clock.forward(gap * 0.1);
      report({ kind: "bytes", blob: DIGESTS[1] ?? "entry none", delta: 16 * 1024 });
    }
    // It stops.
    clock.forward(gap * 4 + 5);
    expect(terminal.shown[0]).toContain(", 0 bytes/s");
    expect(terminal.shown[1]).toContain("waiting for quay.io");
  });

  test("count images that failed apart, and say at once which", () => {
    const { terminal, report, move } = start(100);
    report({ kind: "planned", images: 24, blobs: 2, bytes: 100 * MIB });
    report({ kind: "image", name: "a.lan/b:1", state: "failed", message: "Cannot pull a.lan/b:1: not found" });
    for (let index = 0; index < 3; index += 1) report({ kind: "image", name: `a${index}`, state: "done" });
    move(50 * MIB, 4);
    expect(terminal.shown).toEqual([
      '"a.lan/b:1" failed: Cannot pull a.lan/b:1: not found',
      "[=====     ] Pushing 3 of 24 images, 1 failed, 50.0 MiB of 100 MiB, 12.5 MiB/s, 4 s left",
    ]);
  });

  test("take no rate from blobs that were there already", () => {
    const { terminal, report, move } = start(100);
    report({ kind: "planned", blobs: 1, bytes: 100 * MIB });
    report({ kind: "skipped", blob: "entry y", bytes: 90 * MIB, reason: "exists" });
    move(2 * MIB, 2);
    expect(terminal.shown[0]).toContain("Pushing 92.0 MiB of 100 MiB, 1.0 MiB/s, 8 s left");
  });

  test("have the rate of the last seconds, and no time left while nothing moves", () => {
    const { terminal, clock, report, move } = start(100);
    report({ kind: "planned", blobs: 1, bytes: 1000 * MIB });
    for (let second = 0; second < 20; second += 1) move(10 * MIB, 1);
    for (let second = 0; second < 6; second += 1) move(2 * MIB, 1);
    // The time left is of the same 10 s as the rate.
    expect(terminal.shown[0]).toContain("212 MiB of 1000 MiB, 5.5 MiB/s, 3 min left");
    clock.forward(6);
    expect(terminal.shown[0]).toContain("212 MiB of 1000 MiB, 0 bytes/s");
    expect(terminal.shown[0]).not.toContain("left");
    // A laptop that slept for an hour.
    clock.forward(3600);
    for (let second = 0; second < 5; second += 1) move(10 * MIB, 1);
    expect(terminal.shown[0]).toContain("262 MiB of 1000 MiB, 5.3 MiB/s");
  });

  test("of a pipe show bytes and rate, and no made-up end", () => {
    const { terminal, report, move } = start(80);
    report({ kind: "reading", archive: "-", bytes: 0 }, { kind: "planned", blobs: 1, bytes: 5 * MIB });
    move(5 * MIB, 4);
    report({ kind: "reading", archive: "-", bytes: 4 * MIB });
    move(MIB, 4);
    expect(terminal.shown).toEqual(["Pushing 4.0 MiB, 512 KiB/s"]);
  });

  test("of a compressed archive show how much of the file is read, then the transfer", () => {
    const { terminal, report, move } = start(100);
    const read = (bytes: number): void => report({ kind: "reading", archive: "x.tar.gz", bytes, total: 40 * MIB });
    read(0);
    report({ kind: "note", message: "Reading the archive twice" });
    expect(terminal.shown).toEqual(["Reading the archive twice"]);
    move(0, 4);
    expect(terminal.shown[1]).toContain("Pushing");
    read(40 * MIB);
    report({ kind: "planned", blobs: 1, bytes: 10 * MIB });
    move(5 * MIB, 1);
    expect(terminal.shown[1]).toContain("Pushing 5.0 MiB of 10.0 MiB");
  });

  test("call a first reading that moves nothing by its name", () => {
    const { terminal, clock, report } = start(80);
    for (const bytes of [10 * MIB, 20 * MIB, 30 * MIB]) {
      report({ kind: "reading", archive: "x.tar.gz", bytes, total: 40 * MIB });
      clock.forward(1);
    }
    expect(terminal.shown).toEqual(["[==================      ] Reading 30.0 MiB of 40.0 MiB, 12.0 MiB/s, 1 s left"]);
  });
});

describe("blobs under way on a terminal", () => {
  function transfer(columns: number, rows = 24): Scene {
    const scene = start(columns, rows, "Copying");
    const { report, clock } = scene;
    report({ kind: "planned", images: 2, blobs: 3, bytes: 200 * MIB });
    report(
      started(1, 100 * MIB, { from: "quay.io", to: "registry.lan:5000" }),
      started(10, 60 * MIB, { from: "quay.io" }),
    );
    for (let second = 0; second < 4; second += 1) {
      clock.forward(1);
      report({ kind: "bytes", blob: DIGESTS[1] ?? "entry none", delta: 10 * MIB });
    }
    return scene;
  }

  test.each<[number, readonly string[]]>([
    [
      200,
      [
        "[====                    ] Copying 0 of 2 images, 40.0 MiB of 200 MiB, 10.0 MiB/s, 16 s left",
        "  111111111111 [=========               ] 40.0 MiB of 100 MiB, 10.0 MiB/s, 6 s left",
        "  aaaaaaaaaaaa [                        ] 0 bytes of 60.0 MiB, waiting for quay.io, 4 s",
      ],
    ],
    [
      80,
      [
        "[==        ] Copying 0 of 2 images, 40.0 MiB of 200 MiB, 10.0 MiB/s, 16 s left",
        "  111111111111 [====      ] 40.0 MiB of 100 MiB, 10.0 MiB/s, 6 s left",
        "  aaaaaaaaaaaa [          ] 0 bytes of 60.0 MiB, waiting for quay.io, 4 s",
      ],
    ],
    [
      40,
      [
        "Copying 40.0 MiB of 200 MiB, 16 s left",
        "  111111111111 [====      ] 40 %",
        "  aaaaaaaaaaaa waiting for quay.io, 4 s",
      ],
    ],
  ])("have a line each in %i columns", (columns, expected) => {
    const { terminal, progress } = transfer(columns);
    expect(terminal.shown).toEqual(expected);
    progress.note("A note is above the lines");
    expect(terminal.shown).toEqual(["A note is above the lines"]);
    progress.end();
    expect(terminal.shown).toEqual(["A note is above the lines"]);
  });

  test.each([true, false])(
    "leave nothing behind when the terminal becomes narrower, and wider again (%s)",
    isReflowing => {
      const { terminal, progress } = transfer(120);
      progress.note("before");
      progress.onProgress({ kind: "step", step: "names", done: 1 });
      for (const columns of [100, 30, 12, 90]) {
        terminal.resize(columns, isReflowing);
        expect(terminal.shown.filter(row => row.includes("before") || row.includes("efore"))).toHaveLength(1);
      }
      progress.end();
      expect(terminal.shown).toEqual(["before"]);
      expect(terminal.listenerCount("resize")).toBe(0);
    },
  );

  test("are as many as the terminal has rows for, with the number of the others", () => {
    const { terminal, clock, report } = start(80, 6);
    for (const index of DIGESTS.keys()) report(started(index, MIB, { from: "quay.io" }));
    clock.forward(1);
    expect(terminal.shown).toHaveLength(5);
    expect(terminal.shown.at(-1)).toBe("  and 9 more");
    const tall = start(80, 50);
    for (const index of DIGESTS.keys()) tall.report(started(index, MIB, { from: "quay.io" }));
    tall.clock.forward(1);
    expect(tall.terminal.shown).toHaveLength(9);
    const low = start(80, 2);
    low.report(started(1, MIB, {}));
    low.clock.forward(1);
    expect(low.terminal.shown).toEqual(["Pushing"]);
  });

  test("disappear with their end, and when they failed", () => {
    const { terminal, clock, report } = start(80);
    for (const index of [1, 2, 3]) report(started(index, MIB, {}));
    clock.forward(1);
    expect(terminal.shown).toHaveLength(4);
    report(
      { kind: "done", blob: DIGESTS[1] ?? "entry none", bytes: MIB },
      { kind: "stopped", blob: DIGESTS[2] ?? "entry none" },
    );
    clock.forward(1);
    expect(terminal.shown).toHaveLength(2);
    expect(terminal.shown[1]).toContain("333333333333");
  });

  test("have names that cannot control the terminal", () => {
    const { terminal, clock, report } = start(100);
    report({
      kind: "started",
      blob: "entry \u001B[31mlayer/\u202E漢字/layer.tar",
      bytes: MIB,
      from: "evil\u001B]0;x\u0007",
    });
    clock.forward(5.2);
    expect(terminal.shown[1]).toBe(
      "  \\u{1b}[3...字/layer.tar [          ] 0 bytes of 1.0 MiB, waiting for evil\\u{1b}]0;x\\u{7}, 5 s",
    );
    expect(terminal.shown.join("")).not.toMatch(/\p{Cc}|\p{Cf}/u);
  });

  test("give way to one line for a registry whose requests are retried, and one at the end", () => {
    const { terminal, clock, progress, report } = start(120);
    for (let attempt = 1; attempt <= 37; attempt += 1) report({ ...RETRY, attempt });
    clock.forward(1.2);
    const storm = "  waiting for registry.lan:5000: status 429, 37 retries, next try in 29 s";
    expect(terminal.shown).toEqual(["Pushing", storm]);
    progress.end();
    expect(terminal.shown.join("")).toBe(
      "registry.lan:5000: 37 requests were sent again; the last one: Cannot pull manifest 1 from registry.lan:5000/app: 429 Too Many Requests",
    );
    expect(clock.timers).toBe(0);
  });

  test("end at the last column of a terminal that became narrower a moment ago", () => {
    const { terminal, clock, progress } = transfer(120);
    terminal.resizeUnnoticed(40);
    clock.forward(1);
    clock.forward(1);
    expect(terminal.shown).toHaveLength(3);
    terminal.noticeSize();
    expect(terminal.shown).toEqual([
      "Copying 40.0 MiB of 200 MiB, 24 s left",
      "  111111111111 [====      ] 40 %",
      "  aaaaaaaaaaaa waiting for quay.io, 6 s",
    ]);
    progress.end();
    expect(terminal.shown).toEqual([]);
    expect(terminal.isWrapping).toBe(true);
  });

  test.each([30, 44, 60, 79, 80])("with wide names fit %i columns, with bars below each other", columns => {
    const { terminal, clock, report } = start(columns);
    report(
      { kind: "started", blob: "entry 漢字/layer.tar", bytes: 100 * MIB },
      { kind: "started", blob: "entry 漢字漢字漢字漢字漢字漢字漢字/é.tar", bytes: 100 * MIB },
      started(1, 100 * MIB, {}),
    );
    clock.forward(1);
    const rows = terminal.shown.slice(1);
    expect(rows).toHaveLength(3);
    expect(Math.max(...rows.map(textWidth))).toBeLessThan(columns);
    if (columns >= 60)
      expect(new Set(rows.map(row => textWidth(row.slice(0, row.indexOf("[")))))).toEqual(new Set([26]));
  });

  test("have colours on a terminal, and the same text without them with NO_COLOR", () => {
    vi.stubEnv("NO_COLOR", undefined);
    const { terminal: coloured } = transfer(80);
    expect(coloured.colours).toEqual(expect.arrayContaining(["32", "33", "0"]));
    vi.stubEnv("NO_COLOR", "1");
    const { terminal: plain } = transfer(80);
    expect(plain.colours).toEqual([]);
    expect(plain.shown).toEqual(coloured.shown);
  });

  test.each([
    ["a dumb terminal", "TERM", "dumb"],
    ["CI", "CI", "true"],
  ])("are not drawn on %s", (_what, variable, value) => {
    vi.stubEnv(variable, value);
    const { terminal, clock, report } = start(80);
    report(started(1, MIB, { from: "quay.io" }));
    clock.forward(2.9);
    expect(terminal.shown).toEqual([]);
    clock.forward(0.7);
    expect(terminal.shown).toEqual(["Pushing: waiting for 1 blob from quay.io, it has not moved for 3 s"]);
  });
});

describe("lines off a terminal", () => {
  function startLines(
    flags: { readonly limitRate?: string } = {},
  ): Omit<Scene, "terminal" | "move"> & { readonly lines: string[] } {
    const lines: string[] = [];
    const stderr = new Writable({
      write(chunk, _encoding, done) {
        lines.push(String(chunk).trimEnd());
        done();
      },
    });
    const clock = new FakeProgressClock();
    const progress = new Progress({ stdout: stderr, stderr }, flags, "Pulling", clock);
    const report = (...events: readonly ProgressEvent[]): void => {
      for (const event of events) progress.onProgress(event);
    };
    return { lines, clock, progress, report };
  }

  test("of 40 columns keep the seconds of a blob that stands still, and leave out its host", () => {
    const { terminal, clock, report } = start(40);
    report(started(0, MIB, { from: "registry.example.lan:5000" }));
    clock.forward(7);
    expect(terminal.shown[1]).toBe("  000000000000 waiting, 7 s");
  });

  test("name the own limit where blobs stand still", () => {
    const { lines, clock, report } = startLines({ limitRate: "500K" });
    report({ kind: "planned", blobs: 1, bytes: 100 * MIB }, started(0, 100 * MIB, { from: "quay.io" }));
    clock.forward(8);
    expect(lines.at(-1)).toMatch(/waiting for 1 blob from quay\.io, .*; --limit-rate 500K slows all transfers$/);
  });

  test("come every three seconds at most, however many events there are", () => {
    const { lines, clock, report } = startLines();
    report({ kind: "planned", blobs: 1, bytes: 100 * MIB });
    for (let step = 0; step < 100; step += 1) {
      clock.forward(0.1);
      report({ kind: "bytes", blob: "entry x", delta: MIB });
    }
    expect(lines).toHaveLength(3);
    expect(lines[0]).toBe("Pulling 30.0 MiB of 100 MiB, 10.3 MiB/s, 7 s left");
  });

  test("stay the line of all images while manifests and signatures of one are done", () => {
    const { lines, clock, report } = startLines();
    report({ kind: "planned", blobs: 0, bytes: 0, images: 200 });
    report({ kind: "image", name: "app:1", state: "done" });
    for (const step of ["commit", "referrers"] as const) {
      report({ kind: "step", step, done: 1, total: 1 });
      clock.forward(3.1);
      expect(lines.splice(0)).toEqual(["Pulling 1 of 200 images"]);
    }
    report({ kind: "step", step: "referrers", done: 7, total: 200 });
    clock.forward(3.1);
    expect(lines.at(-1)).toBe("Looking up signatures and SBOMs 7 of 200");
  });

  test("are never the bare verb", () => {
    const { lines, clock, report } = startLines();
    report({ kind: "planned", blobs: 0, bytes: 0, images: 1 });
    clock.forward(3.1);
    expect(lines).toEqual([]);
    clock.forward(1.1);
    expect(lines).toEqual(["Pulling: no progress for 4 s"]);
  });

  test("say what is waited for, more and more seldom, while nothing moves", () => {
    const { lines, clock, progress, report } = startLines();
    report({ kind: "planned", blobs: 3, bytes: 100 * MIB });
    for (const index of [1, 2, 3]) report(started(index, 30 * MIB, { from: "quay.io" }));
    clock.forward(400);
    const shown = lines.map(line => line.replace("Pulling 0 of 3 blobs, 0 bytes of 100 MiB, 0 bytes/s", "…"));
    const texts = ["6 s", "12 s", "24 s", "48 s", "2 min", "3 min", "4 min", "5 min", "6 min", "7 min"];
    // The first line has what was planned.
    expect(shown).toEqual([
      "…",
      ...texts.map(text => `…: waiting for 3 blobs from quay.io, none has moved for ${text}`),
    ]);
    report({ kind: "bytes", blob: DIGESTS[1] ?? "entry none", delta: MIB });
    clock.forward(3);
    expect(lines.at(-1)).toContain("Pulling 0 of 3 blobs, 1.0 MiB of 100 MiB");
    progress.end();
    const { length } = lines;
    clock.forward(1000);
    expect(lines).toHaveLength(length);
  });

  test("name the registry that limits requests, and the time of the next try", () => {
    const { lines, clock, report } = startLines();
    const { registry, what } = RETRY;
    report(RETRY, { kind: "waiting", registry, reason: "limit", what, waitedMs: 0, waitMs: 30_000 });
    clock.forward(3.1);
    expect(lines.at(-1)).toBe("Pulling: waiting for registry.lan:5000: status 429, next try in 27 s");
    clock.forward(26.9);
    report({ kind: "resumed", registry, reason: "limit", what, waitedMs: 30_000 });
    report({ kind: "waiting", registry, reason: "answer", what, waitedMs: 5000 });
    clock.forward(30);
    expect(lines.at(-1)).toBe("Pulling: waiting for registry.lan:5000: no answer to manifest 1 for 20 s");
  });

  test("say that nothing happens only after four seconds without a known reason", () => {
    const { lines, clock } = startLines();
    clock.forward(3);
    expect(lines).toEqual([]);
    clock.forward(19);
    expect(lines).toEqual(["Pulling: no progress for 4 s", "Pulling: no progress for 10 s"]);
  });

  test("have one line for many retries of one registry in three seconds", () => {
    const { lines, clock, progress, report } = startLines();
    for (let attempt = 1; attempt <= 20; attempt += 1) report({ ...RETRY, attempt });
    report({ ...RETRY, registry: "quay.io", message: "Cannot pull from quay.io: reset" });
    expect(lines).toEqual([
      "Cannot pull manifest 1 from registry.lan:5000/app: 429 Too Many Requests; retrying in 30 s",
      "Cannot pull from quay.io: reset; retrying in 30 s",
    ]);
    clock.forward(3);
    report(RETRY);
    expect(lines.at(-1)).toBe(
      "Cannot pull manifest 1 from registry.lan:5000/app: 429 Too Many Requests; retrying in 30 s (19 more retries before)",
    );
    progress.end();
    expect(lines.at(-1)).toContain("(19 more retries before)");
  });
});
