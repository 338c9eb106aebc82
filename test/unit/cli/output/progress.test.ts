import { EventEmitter } from "node:events";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Progress } from "../../../../src/cli/output/progress.ts";

const MIB = 1024 * 1024;

/** A terminal: it shows what is written as rows, and starts a new row after its last column. */
class FakeTerminal extends EventEmitter {
  readonly isTTY = true;
  readonly rows: string[] = [""];
  columns: number;
  #column = 0;

  constructor(columns: number) {
    super();
    this.columns = columns;
  }

  write(text: string): boolean {
    for (const part of text.replaceAll("\u001B[K", "\v").split(/([\r\n\v])/)) {
      if (part === "\r") this.#column = 0;
      else if (part === "\v") this.#setRow(this.row.slice(0, this.#column));
      else if (part === "\n") this.#startRow();
      else this.#print(part);
    }
    return true;
  }

  resize(columns: number): void {
    this.columns = columns;
    this.emit("resize");
  }

  get row(): string {
    return this.rows.at(-1) ?? "";
  }

  #print(text: string): void {
    for (const character of text) {
      this.#setRow(this.row.slice(0, this.#column) + character + this.row.slice(this.#column + 1));
      this.#column += 1;
      if (this.#column === this.columns) this.#startRow();
    }
  }

  #setRow(row: string): void {
    this.rows[this.rows.length - 1] = row;
  }

  #startRow(): void {
    this.rows.push("");
    this.#column = 0;
  }
}

class FakeClock {
  ms = 0;
  readonly now = (): number => this.ms;
}

interface Scene {
  readonly terminal: FakeTerminal;
  readonly progress: Progress;
  /** Moves bytes; the clock is then that many seconds further. */
  readonly move: (delta: number, seconds: number) => void;
}

function start(columns: number, verb: "Pushing" | "Reading" = "Pushing"): Scene {
  const terminal = new FakeTerminal(columns);
  const clock = new FakeClock();
  const stderr = terminal as unknown as NodeJS.WriteStream;
  const progress = new Progress({ stdout: stderr, stderr }, {}, verb, clock.now);
  const move = (delta: number, seconds: number): void => {
    progress.onProgress({ kind: "bytes", blob: "entry x", delta: 0 });
    clock.ms += seconds * 1000;
    progress.onProgress({ kind: "bytes", blob: "entry x", delta });
  };
  return { terminal, progress, move };
}

beforeEach(() => {
  vi.stubEnv("CI", undefined);
  vi.stubEnv("TERM", "xterm");
});

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("the bar of progress", () => {
  test.each([
    [80, "[============            ] Pushing 50.0 MiB of 100 MiB, 12.5 MiB/s, 4 s left"],
    [64, "[=====     ] Pushing 50.0 MiB of 100 MiB, 12.5 MiB/s, 4 s left"],
    [40, "Pushing 50.0 MiB of 100 MiB, 4 s left"],
    [30, "Pushing 50 %"],
    [10, "50 %"],
    [3, "50"],
  ])("fits %i columns, and leaves no row behind", (columns, expected) => {
    const { terminal, progress, move } = start(columns);
    progress.onProgress({ kind: "planned", blobs: 1, bytes: 100 * MIB });
    for (let second = 0; second < 4; second += 1) move(12.5 * MIB, 1);
    expect(terminal.rows).toEqual([expected.slice(0, columns)]);
    progress.end();
    expect(terminal.rows).toEqual([""]);
  });

  test("follows the terminal when that becomes narrower, and stops at its end", () => {
    const { terminal, progress, move } = start(80);
    progress.onProgress({ kind: "planned", blobs: 1, bytes: 100 * MIB });
    move(50 * MIB, 4);
    expect(terminal.row).toHaveLength(76);
    terminal.resize(30);
    expect(terminal.rows).toEqual(["Pushing 50 %"]);
    progress.end();
    terminal.resize(80);
    expect(terminal.rows).toEqual([""]);
    expect(terminal.listenerCount("resize")).toBe(0);
  });

  test("gives no time before two seconds of data, and hours instead of seconds", () => {
    const { terminal, progress, move } = start(100);
    progress.onProgress({ kind: "planned", blobs: 1, bytes: 7801 * MIB });
    move(MIB, 1.5);
    expect(terminal.row).not.toContain("left");
    move(MIB, 0.5);
    expect(terminal.row).toContain("Pushing 2.0 MiB of 7.6 GiB, 1.0 MiB/s, 2 h 10 min left");
  });

  test("takes no rate from blobs that were there already", () => {
    const { terminal, progress, move } = start(100);
    progress.onProgress({ kind: "planned", blobs: 2, bytes: 100 * MIB });
    progress.onProgress({ kind: "skipped", blob: "entry y", bytes: 90 * MIB, reason: "exists" });
    move(2 * MIB, 2);
    expect(terminal.row).toContain("Pushing 92.0 MiB of 100 MiB, 1.0 MiB/s, 8 s left");
  });

  test("of a pipe shows bytes and rate, and no made-up end", () => {
    const { terminal, progress, move } = start(80);
    progress.onProgress({ kind: "reading", archive: "-", bytes: 0 });
    progress.onProgress({ kind: "planned", blobs: 1, bytes: 5 * MIB });
    move(5 * MIB, 4);
    progress.onProgress({ kind: "reading", archive: "-", bytes: 4 * MIB });
    move(MIB, 4);
    expect(terminal.row).toBe("Pushing 4.0 MiB, 512 KiB/s");
  });

  test("of a compressed archive shows how much of the file is read, then the transfer", () => {
    const { terminal, progress, move } = start(100);
    const read = (bytes: number): void =>
      progress.onProgress({ kind: "reading", archive: "x.tar.gz", bytes, total: 40 * MIB });
    read(0);
    progress.onProgress({ kind: "note", message: "Reading the archive twice" });
    expect(terminal.rows).toEqual(["Reading the archive twice", ""]);
    move(0, 4);
    expect(terminal.row).toContain("Pushing");
    read(40 * MIB);
    progress.onProgress({ kind: "planned", blobs: 1, bytes: 10 * MIB });
    move(5 * MIB, 1);
    expect(terminal.row).toContain("Pushing 5.0 MiB of 10.0 MiB");
  });

  test("calls a first reading that moves nothing by its name", () => {
    const terminal = new FakeTerminal(80);
    const clock = new FakeClock();
    const stderr = terminal as unknown as NodeJS.WriteStream;
    const progress = new Progress({ stdout: stderr, stderr }, {}, "Pushing", clock.now);
    for (const bytes of [10 * MIB, 20 * MIB, 30 * MIB]) {
      progress.onProgress({ kind: "reading", archive: "x.tar.gz", bytes, total: 40 * MIB });
      clock.ms += 1000;
    }
    expect(terminal.row).toBe("[==================      ] Reading 30.0 MiB of 40.0 MiB, 15.0 MiB/s, 1 s left");
  });
});
