// `imgpack inspect X --base OLD --report FILE`: what a bundle brings, on real archives.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  convert,
  formatTransferReport,
  inspect,
  lock,
  pull,
  type TransferReport,
  transferReport,
  verify,
} from "../../src/index.ts";
import { ownEnvironment, runCommand, said } from "../support/command-line.ts";
import { csvRows } from "../support/csv-rows.ts";
import { dockerArchive, seededBytes, temporaryFolder } from "../support/images.ts";
import { putReferrer } from "../support/referrer-manifests.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { keyPair } from "../support/signing-keys.ts";
import { tarArchive, tarEntry } from "../support/tar-builder.ts";
import { lockOf, storeIndex } from "./lock-support.ts";

ownEnvironment();
const PLATFORM = "linux/amd64";
const pair = keyPair("ed25519");

interface Delivery {
  readonly host: string;
  /** By name in the folder of the test. */
  readonly files: ReadonlyMap<string, Buffer>;
}

let made: Delivery | undefined;
let host: string;
let folder: string;
/** Lock of last month. */
let base: string;
/** All images, in one signed archive. */
let whole: string;
/** What is new, in volumes. */
let volumes: readonly string[];

beforeEach(async () => {
  folder = await temporaryFolder();
  made ??= await twoDeliveries(folder);
  host = made.host;
  for (const [name, bytes] of made.files) await writeFile(join(folder, name), bytes);
  base = join(folder, "last.lock");
  whole = join(folder, "next.tar");
  const names = [...made.files.keys()].filter(name => name.startsWith("site.v"));
  volumes = names.sort().map(name => join(folder, name));
});

/** team/b moves, team/c goes, team/d comes, and team/a stays; team/d has a signature. */
async function twoDeliveries(into: string): Promise<Delivery> {
  const registry = await ScriptedRegistry.start();
  const { host, content } = registry;
  content.hasReferrers = true;
  const named = (names: readonly string[]): readonly string[] => names.map(name => `${host}/team/${name}:1`);
  for (const name of ["a", "b", "c"]) storeIndex(content, `team/${name}:1`);
  const last = join(into, "last.lock");
  await writeFile(last, (await lock(named(["a", "b", "c"]), { platform: PLATFORM })).text);
  storeIndex(content, "team/b:1", { seed: "moved" });
  const { digest } = storeIndex(content, "team/d:1");
  putReferrer(content, "team/d", { subject: digest, artifactType: "application/vnd.dev.cosign.artifact.sig.v1+json" });
  const next = named(["a", "b", "d"]);
  await pull(next, { output: join(into, "next.tar"), platform: PLATFORM, sign: { key: pair.pem } });
  await pull(next, { output: join(into, "site.tar"), platform: PLATFORM, base: last, volumeSize: 16 * 1024 });
  return { host, files: new Map(readdirSync(into).map(name => [name, readFileSync(join(into, name))])) };
}

afterEach(() => {
  vi.unstubAllEnvs();
});

function statesOf({ images }: TransferReport): readonly (readonly [string, string | undefined])[] {
  return images.map(({ name, state }) => [name.replace(`${host}/team/`, ""), state] as const);
}

function sum(numbers: readonly (number | undefined)[]): number {
  return numbers.reduce<number>((total, number = 0) => total + number, 0);
}

describe("a report of a delta in volumes", () => {
  test("says what is new, what it leaves out and why, and its bytes add up", async () => {
    expect(volumes.length).toBeGreaterThan(1);
    const report = await transferReport(volumes, { base });
    expect(statesOf(report)).toEqual([
      ["a:1", "unchanged"],
      ["b:1", "changed"],
      ["c:1", "gone"],
      ["d:1", "new"],
    ]);
    const { id, blobs, assumes = [] } = await lockOf(volumes[0] ?? "");
    const { id: baseId } = JSON.parse(readFileSync(base, "utf8")) as { readonly id: string };
    expect(report).toMatchObject({ id, bases: [{ id: baseId, source: "last.lock" }], compared: true });
    const { carried, all, new: fresh = 0, shared = 0 } = report.bytes;
    expect(carried).toBe(sum(blobs.map(({ size }) => size)));
    expect(all).toBe(carried + sum(assumes.map(({ size }) => size)));
    expect(fresh + shared).toBe(all);
    expect(sum(report.images.map(({ newBytes }) => newBytes))).toBe(fresh);
    expect(report.counts).toEqual({ images: 3, new: 1, changed: 1, unchanged: 1, gone: 1 });
    expect(report.left.map(({ kind, what }) => [kind, what])).toEqual([
      ["base", `${assumes.length} layers`],
      ...["a", "b", "d"].map(name => ["platform", `${host}/team/${name}:1, platform linux/arm64`]),
    ]);
    expect(report.left.at(-1)?.why).toBe("not among the chosen platforms (linux/amd64)");
  });

  test("counts signatures, and knows none from unknown", async () => {
    const { images } = await transferReport(volumes, { base });
    const signatures = images.map(({ name, referrers }) => [name.slice(-3), referrers.signatures]);
    expect(signatures).toEqual([
      ["a:1", 0],
      ["b:1", 0],
      ["c:1", "unknown"],
      ["d:1", 1],
    ]);
  });

  test("has the sha256 of each volume, and is the same bytes twice, in each form", async () => {
    const one = await transferReport(volumes, { base });
    const other = await transferReport([...volumes].reverse(), { base });
    const sums = volumes.map(path => createHash("sha256").update(readFileSync(path)).digest("hex"));
    expect(one.files.map(({ sha256 }) => sha256)).toEqual(sums);
    expect(one.files.map(({ volume }) => volume)).toEqual(volumes.map((_, index) => index + 1));
    for (const form of ["html", "csv", "json"] as const)
      expect(formatTransferReport(other, form)).toBe(formatTransferReport(one, form));
  });

  test("names a volume that is missing, and does not claim to know its images", async () => {
    const [, ...others] = volumes;
    const report = await transferReport(others, { base });
    expect(report.volumes).toEqual({ of: volumes.length, missing: [1] });
    expect(report.left[0]).toMatchObject({ kind: "volume", what: `Volume 1 of ${volumes.length}`, why: "missing" });
    expect(report.bytes.carried + (report.left[0]?.bytes ?? 0)).toBe((await transferReport(volumes)).bytes.carried);
    expect(statesOf(report)).toEqual(statesOf(await transferReport(volumes, { base })));
    const unknown = report.images.filter(({ bytes, state }) => bytes === undefined && state !== "gone");
    expect(unknown.length).toBeGreaterThan(0);
    expect(unknown.every(({ newBytes }) => newBytes === undefined)).toBe(true);
    const page = String(formatTransferReport(report, "html"));
    expect(page).toContain("It is not complete: volume 1 of");
    expect(page).toContain("not known</td>");
  });
});

describe("a report of volumes that a layer is split among", () => {
  test("counts the parts that are there, and of a missing volume only what it has", async () => {
    const layer = tarArchive([tarEntry({ name: "data", body: seededBytes("split", 60_000) })]);
    const output = join(folder, "split.tar");
    await writeFile(join(folder, "big.tar"), dockerArchive({ layers: [layer], tags: ["reg.lan/big:1"] }));
    await convert(join(folder, "big.tar"), { output, volumeSize: 24 * 1024 });
    const parts = readdirSync(folder).filter(name => name.startsWith("split.v"));
    expect(parts.length).toBeGreaterThan(2);
    const paths = parts.sort().map(name => join(folder, name));
    const { all } = (await transferReport(paths)).bytes;
    const { bytes, left } = await transferReport(paths.filter((_, index) => index !== 1));
    expect(left[0]).toMatchObject({ kind: "volume", what: `Volume 2 of ${parts.length}` });
    expect(bytes.carried + (left[0]?.bytes ?? 0)).toBe(all);
    expect(left[0]?.bytes).toBeGreaterThan(0);
    expect(left[0]?.bytes).toBeLessThan(24 * 1024);
    expect(bytes.carried).toBeGreaterThan(24 * 1024);
  });
});

describe("inspect --report of what cannot be pulled from a server", () => {
  test("has no notes and no words of serve", async () => {
    const path = join(folder, "x.json");
    const delta = await runCommand("inspect", ...volumes.slice(1), "--report", path, "--base", base);
    expect([delta.exitCode, delta.stderr]).toEqual([
      0,
      expect.not.stringMatching(/404|without its base|cannot be pulled/),
    ]);
    await writeFile(join(folder, "whole.tar.gz"), gzipSync(readFileSync(whole)));
    const packed = await runCommand("inspect", join(folder, "whole.tar.gz"), "--report", path);
    expect(said(packed)[0]).toMatch(/^Cannot read archive ".*" at any position: compressed with gzip as a whole/);
  });
});

describe("a report of an archive", () => {
  test("without a base has no states; what a base has is not new", async () => {
    const alone = await transferReport(whole);
    expect(alone).toMatchObject({ compared: false, bases: [], counts: { images: 3 } });
    expect(alone.images.every(({ state, newBytes }) => state === undefined && newBytes === undefined)).toBe(true);
    const compared = await transferReport(whole, { base });
    expect(compared.bytes).toMatchObject({ carried: alone.bytes.all, all: alone.bytes.all });
    expect(compared.bytes.new).toBeLessThan(alone.bytes.all);
    expect((await transferReport(whole, { base: whole })).bytes.new).toBe(0);
  });

  test("says that a key signed it, and that another one did not", async () => {
    expect((await transferReport(whole, { key: pair.publicPem })).signature).toMatchObject({ state: "signed" });
    const other = keyPair("ed25519").publicPem;
    const refused = await transferReport(whole, { key: other });
    expect(refused.signature).toEqual({ state: "refused" });
    expect(formatTransferReport(refused, "html")).toContain("not by a key that was given");
  });

  test("with a key, says which images a damaged byte harms", async () => {
    const bytes = readFileSync(whole);
    const damaged = join(folder, "damaged.tar");
    const at = bytes.indexOf(seededBytes("moved amd64", 2000));
    bytes[at] = 255 - (bytes[at] ?? 0);
    await writeFile(damaged, bytes);
    const { left } = await transferReport(damaged, { key: pair.publicPem });
    expect(left[0]).toEqual({ kind: "damage", what: `${host}/team/b:1`, why: "not whole: verify found damage" });
  });

  test("has a date only if SOURCE_DATE_EPOCH has one", async () => {
    expect(await transferReport(whole)).not.toHaveProperty("date");
    expect((await transferReport(whole, { sourceDateEpoch: "86400" })).date).toBe("1970-01-02T00:00:00Z");
    await expect(transferReport(whole, { sourceDateEpoch: "noon" })).rejects.toMatchObject({ exitCode: 2 });
  });

  test("reports each byte that it reads, and stops when it is told to", async () => {
    const read: number[] = [];
    await transferReport(whole, {
      onProgress: event => {
        if (event.kind === "bytes") read.push(event.delta);
      },
    });
    expect(sum(read)).toBe(readFileSync(whole).length);
    const reason = new Error("stop");
    await expect(transferReport(whole, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe("inspect --report", () => {
  test("writes the form that the ending asks for, and says what it found", async () => {
    const path = (ending: string): string => join(folder, `transfer.${ending}`);
    for (const ending of ["html", "csv", "json"]) {
      const { exitCode, stdout } = await runCommand("inspect", whole, "--base", base, "--report", path(ending));
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/: bundle [0-9a-f]{12}, 3 images \(1 new, 1 changed, 1 gone\), /);
    }
    expect(readFileSync(path("html"), "utf8")).toMatch(/^<!doctype html>/);
    expect(csvRows(readFileSync(path("csv"), "utf8"))).toHaveLength(1 + 4);
    expect(JSON.parse(readFileSync(path("json"), "utf8"))).toEqual(await transferReport(whole, { base }));
    expect(readdirSync(folder).filter(name => name.includes(".partial"))).toEqual([]);
    const { stdout } = await runCommand("inspect", whole, "--report", path("csv"), "--json");
    expect(JSON.parse(stdout)).toMatchObject({ kind: "transfer-report", counts: { images: 3 } });
  });

  test("takes the date from SOURCE_DATE_EPOCH", async () => {
    const path = join(folder, "dated.json");
    vi.stubEnv("SOURCE_DATE_EPOCH", "0");
    expect((await runCommand("inspect", whole, "--report", path)).exitCode).toBe(0);
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ date: "1970-01-01T00:00:00Z" });
  });

  test("ends with exit code 6 if the key did not sign it, and has written the report", async () => {
    const [key, path] = [join(folder, "other.pub"), join(folder, "refused.html")];
    await writeFile(key, keyPair("ed25519").publicPem);
    const outcome = await runCommand("inspect", whole, "--report", path, "--key", key);
    expect(outcome.exitCode).toBe(6);
    expect(readFileSync(path, "utf8")).toContain("not by a key that was given");
  });

  test("with a key, a damaged or an unsigned archive does not pass without a word: exit codes and a line as of verify", async () => {
    const [key, path, damaged] = [join(folder, "site.pub"), join(folder, "x.html"), join(folder, "damaged.tar")];
    await writeFile(key, pair.publicPem);
    const bytes = readFileSync(whole);
    const at = bytes.indexOf(seededBytes("moved amd64", 2000));
    bytes[at] = 255 - (bytes[at] ?? 0);
    await writeFile(damaged, bytes);
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [[whole], 0, /^$/],
      [[damaged], 6, /^Cannot accept ".*damaged.tar": damage found in .*team\/b:1, expected none/],
      [volumes, 5, /^Cannot accept ".*: it is not signed.*team\/a:1/],
      [
        ["fixtures/docker20-hello.tar"],
        5,
        /^Cannot accept ".*: it is not signed, and there is no signature of .*, expected a valid signature/,
      ],
      [volumes.slice(1), 5, /^Cannot accept ".*: volume 1 of \d+ is missing, expected all volumes/],
    ];
    for (const [sources, exitCode, line] of cases) {
      const outcome = await runCommand("inspect", ...sources, "--report", path, "--key", key);
      expect([outcome.exitCode, said(outcome)[0] ?? ""]).toEqual([exitCode, expect.stringMatching(line)]);
      const verified = await runCommand("verify", ...sources, "--key", key);
      expect([verified.exitCode, verified.stderr + verified.stdout]).toEqual([exitCode, expect.anything()]);
      expect(readFileSync(path, "utf8")).toContain("Transfer report");
      const { exitCode: code, stdout } = await runCommand(
        "inspect",
        ...sources,
        "--report",
        path,
        "--key",
        key,
        "--json",
      );
      expect([code, JSON.parse(stdout)]).toEqual([exitCode, expect.objectContaining({ kind: "transfer-report" })]);
    }
  });

  test("verify --key does not pass unsigned volumes, of which none has a whole image", async () => {
    const { bundle, signatures } = await verify(volumes, { key: pair.publicPem });
    expect(bundle?.state).toBe("unsigned");
    expect(signatures?.map(({ names, valid }) => [names[0]?.slice(-3), valid])).toEqual([
      ["a:1", 0],
      ["b:1", 0],
      ["d:1", 0],
    ]);
  });

  test("refuses what it cannot report on, or cannot write, before anything is read", async () => {
    const path = join(folder, "never.html");
    await symlink(whole, join(folder, "linked.csv"));
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [[whole, "--report", join(folder, "never.txt")], /found another ending, expected \.html, \.csv or \.json/],
      [[base, "--report", path], /found a lock, expected an archive, volumes, or a folder/],
      [["registry.example/app:1", "--report", path], /found a reference, expected an archive/],
      [["-", "--report", path], /found stdin, expected an archive/],
      [[whole, "--report", join(folder, "linked.csv")], /it is the input/],
      [[whole, "--report", path, "--image", "app"], /Cannot use --image with --report/],
      [[whole, "--key", base], /Cannot use --key: no report is written/],
    ];
    for (const [words, message] of cases) {
      const outcome = await runCommand("inspect", ...words);
      expect([said(outcome)[0], outcome.exitCode]).toEqual([expect.stringMatching(message), 2]);
    }
    expect(existsSync(path)).toBe(false);
  });
});

test("inspect and a report count the same attestations of BuildKit, which are in the index", async () => {
  const path = "fixtures/buildx029-oci-attested.tar";
  const [inspected] = (await inspect(path)).images;
  const [reported] = (await transferReport(path)).images;
  const { signatures = 0, sboms = 0, attestations = 0 } = inspected?.referrers ?? {};
  expect(sboms + attestations).toBeGreaterThan(0);
  const counted = [reported?.referrers.sboms, reported?.referrers.attestations];
  expect(counted.map(count => (count === "unknown" ? 0 : count))).toEqual([sboms, attestations]);
  expect(signatures).toBe(0);
});

describe("a report of images without a name", () => {
  test("lists them with their platform and bytes, although no name leads to them", async () => {
    const report = await transferReport("fixtures/docker20-untagged.tar");
    expect(report.counts.images).toBe(1);
    expect(report.images[0]).toMatchObject({ name: "", platforms: [{ platform: "linux/amd64" }] });
    expect(report.images[0]?.bytes).toBe(report.bytes.carried);
    expect(report.bytes.carried).toBeGreaterThan(0);
    expect(String(formatTransferReport(report, "html"))).toContain("without a name");
  });
});
