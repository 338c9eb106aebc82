import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { redactedWords } from "../../../../src/cli/log/redacted-words.ts";
import { RunLog } from "../../../../src/cli/log/run-log.ts";
import { temporaryFolder } from "../../../support/images.ts";

const DIGEST = `sha256:${"a".repeat(64)}` as const;

type Line = Readonly<Record<string, unknown>>;

async function linesOf(path: string): Promise<readonly Line[]> {
  const text = await readFile(path, "utf8");
  expect(text.endsWith("\n")).toBe(true);
  return text
    .trimEnd()
    .split("\n")
    .map(line => JSON.parse(line) as Line);
}

function stderrOf(texts: string[]): Writable {
  return new Writable({
    write(chunk, _encoding, done) {
      texts.push(String(chunk));
      done();
    },
  });
}

function create(words: readonly string[] = ["pull", "app:1"]): RunLog {
  return new RunLog(words, stderrOf([]));
}

describe("the log of a run", () => {
  test("has its start, all events and its end, each with the time and the run, readable for the owner alone", async () => {
    const path = join(await temporaryFolder(), "run.log");
    const log = create(["pull", "app:1", "--token=abc"]);
    await log.open(path, "1/8");
    log.event({ kind: "planned", blobs: 1, bytes: 10 });
    log.event({ kind: "note", message: "from https://user:secret@host/x \u202E" });
    log.result({ images: [1, 2], blobs: { uploaded: 3 }, seconds: 1.5, output: "x.tar" });
    await log.end(0);
    const lines = await linesOf(path);
    expect(lines.map(({ time, run, pid, host, version, seconds, ...others }) => others)).toEqual([
      { kind: "start", command: ["pull", "app:1", "--token=[redacted]"], shard: "1/8" },
      { kind: "planned", blobs: 1, bytes: 10 },
      { kind: "note", message: "from https://[redacted]@host/x \u202E" },
      { kind: "end", exitCode: 0, result: { images: 2, blobs: { uploaded: 3 }, seconds: 1.5, output: "x.tar" } },
    ]);
    expect(new Set(lines.map(({ run }) => run)).size).toBe(1);
    for (const { time } of lines) expect(new Date(String(time)).toISOString()).toBe(time);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(path, "utf8")).not.toContain("\u202E");
  });

  test("is appended to, by several runs at a time, in whole lines", async () => {
    const path = join(await temporaryFolder(), "run.log");
    const logs = [create(["push"]), create(["copy"]), create(["verify"])];
    for (const log of logs) await log.open(path, undefined);
    for (let round = 0; round < 500; round += 1)
      for (const log of logs) log.event({ kind: "image", name: `${round}`, state: "done" });
    await Promise.all(logs.map(async log => await log.end(0)));
    const lines = await linesOf(path);
    expect(lines).toHaveLength(3 * 502);
    for (const run of new Set(lines.map(one => one["run"]))) {
      const names = lines.filter(one => one["run"] === run && one["kind"] === "image").map(({ name }) => name);
      expect(names).toEqual(Array.from({ length: 500 }, (_, round) => `${round}`));
    }
  });

  test("begins a line of its own after one that was cut", async () => {
    const path = join(await temporaryFolder(), "run.log");
    await writeFile(path, '{"time":"2026');
    const log = create();
    await log.open(path, undefined);
    await log.end(0);
    const [cut, ...lines] = (await readFile(path, "utf8")).trimEnd().split("\n");
    expect(cut).toBe('{"time":"2026');
    expect(lines.map(line => (JSON.parse(line) as Line)["kind"])).toEqual(["start", "end"]);
  });

  test("adds up the bytes of a blob: 100,000 events are few lines, with the same sums", async () => {
    const path = join(await temporaryFolder(), "run.log");
    const log = create();
    await log.open(path, undefined);
    for (let part = 0; part < 100_000; part += 1) log.event({ kind: "bytes", blob: DIGEST, delta: 10 });
    log.event({ kind: "done", blob: DIGEST, bytes: 1_000_000 });
    for (let done = 1; done <= 1000; done += 1) log.event({ kind: "step", step: "manifests", done, total: 1000 });
    await log.end(0);
    const lines = await linesOf(path);
    expect(lines.map(({ kind }) => kind)).toEqual(["start", "bytes", "done", "step", "end"]);
    expect(lines[1]).toMatchObject({ blob: DIGEST, delta: 1_000_000 });
    expect(lines[3]).toMatchObject({ done: 1000, total: 1000 });
  });

  test("says how many events are left out if the disk is too slow, and has the end nevertheless", async () => {
    const path = join(await temporaryFolder(), "run.log");
    const log = create();
    await log.open(path, undefined);
    const message = "x".repeat(64 * 1024);
    for (let count = 0; count < 300; count += 1) log.event({ kind: "note", message });
    await log.end(0);
    const lines = await linesOf(path);
    const texts = lines.map(line => String(line["message"]).replace(message, "kept"));
    const kept = texts.filter(text => text === "kept").length;
    expect(kept).toBeLessThan(300);
    expect(texts.at(-2)).toBe(`The disk was too slow: ${300 - kept} events were left out`);
    expect(lines.at(-1)).toMatchObject({ kind: "end" });
  });

  test("has the error of a run that failed, and the end of one that is killed", async () => {
    const path = join(await temporaryFolder(), "run.log");
    const failed = create();
    await failed.open(path, undefined);
    const error = { message: "Cannot pull", code: "ERR_NETWORK", exitCode: 7, hint: "Wait.", origin: undefined };
    await failed.end(7, error);
    const killed = create();
    await killed.open(path, undefined);
    killed.event({ kind: "note", message: "last" });
    killed.endNow(130);
    const lines = await linesOf(path);
    expect(lines.map(({ kind }) => kind)).toEqual(["start", "end", "start", "note", "end"]);
    expect(lines[1]).toMatchObject({
      exitCode: 7,
      error: { code: "ERR_NETWORK", message: "Cannot pull", hint: "Wait." },
    });
    expect(lines[4]).toMatchObject({ exitCode: 130 });
  });

  test("is not written over a file that is no log, nor to a folder or a full disk", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "precious.tar");
    await writeFile(path, "precious");
    await expect(create().open(path, undefined)).rejects.toThrow(
      /^Cannot append log to ".*precious\.tar": found a file that is no log, expected a log or a new file$/,
    );
    expect(await readFile(path, "utf8")).toBe("precious");
    await expect(create().open(folder, undefined)).rejects.toThrow(/^Cannot create ".*": it is a folder/);
    await expect(create().open("/dev/full", undefined)).rejects.toThrow(/^Cannot write "\/dev\/full": no space left/);
    await chmod(path, 0o600);
  });

  test("does nothing before it is opened", async () => {
    const log = create();
    log.event({ kind: "note", message: "early" });
    await log.end(0);
    log.endNow(1);
  });
});

test.each<[readonly string[], readonly string[]]>([
  [
    ["pull", "quay.io/app:1@sha256:abc", "-o", "x.tar", "--retry", "3"],
    ["pull", "quay.io/app:1@sha256:abc", "-o", "x.tar", "--retry", "3"],
  ],
  [
    ["pull", "--password", "hunter2", "--api-token=abc"],
    ["pull", "--password", "[redacted]", "--api-token=[redacted]"],
  ],
  [
    ["pull", "--password-stdin", "app:1", "--sign-passphrase-file", "pass.txt"],
    ["pull", "--password-stdin", "app:1", "--sign-passphrase-file", "pass.txt"],
  ],
  [
    ["import", "--env", "KEY=secret", "--env=KEY=secret", "--label", "a=b"],
    ["import", "--env", "KEY=[redacted]", "--env=KEY=[redacted]", "--label", "a=[redacted]"],
  ],
  [
    ["copy", "user:pass@registry.lan/app", "https://user:pass@registry.lan/app"],
    ["copy", "[redacted]@registry.lan/app", "https://[redacted]@registry.lan/app"],
  ],
])("the command line %j is logged as %j", (words, expected) => {
  expect(redactedWords(words)).toEqual(expected);
});
