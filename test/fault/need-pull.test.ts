// `imgpack pull -f need.json -o patch.tar`: the bytes that a need list names, and nothing else.
import { readdirSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatNeed } from "../../src/bundle/need/format-need.ts";
import type { Need, NeededBlob } from "../../src/bundle/need/need.ts";
import { ImgpackError, type PullOptions, type PullResult, pull } from "../../src/index.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { indexTar } from "../../src/tar/tar-index.ts";
import { ownEnvironment, runCommand } from "../support/command-line.ts";
import { seededBytes, storeImage, temporaryFolder } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { type Fault, ScriptedRegistry } from "../support/scripted-registry.ts";

ownEnvironment();
const MIB = 1024 * 1024;
const PIECE = 4 * MIB;
const OF: Digest = `sha256:${"a".repeat(64)}`;
/** Three pieces, of which the last one is short. */
const BIG: Buffer = Buffer.alloc(2 * PIECE + 1000, seededBytes("big", 4099));
const SMALL: Buffer = seededBytes("small", 3000);

interface Scene {
  readonly registry: ScriptedRegistry;
  readonly folder: string;
  readonly patch: string;
  readonly manifest: Buffer;
  /** A row for bytes that the registry has. */
  row(bytes: Buffer, more?: Partial<NeededBlob>): NeededBlob;
}

async function scene(...faults: readonly Fault[]): Promise<Scene> {
  const registry = await ScriptedRegistry.start({ faults: faults.map(fault => ({ times: 99, ...fault })) });
  const folder = await temporaryFolder();
  const { digest } = storeImage(registry.content, [BIG, SMALL]);
  const row = (bytes: Buffer, more: Partial<NeededBlob> = {}): NeededBlob => ({
    digest: sha256(bytes),
    size: bytes.length,
    kind: "layer",
    repositories: [`${registry.host}/app`],
    ...more,
  });
  const manifest = registry.content.manifests.get(digest)?.bytes ?? Buffer.alloc(0);
  return { registry, folder, patch: join(folder, "patch.tar"), manifest, row };
}

function needOf(...blobs: readonly NeededBlob[]): Need {
  return { of: OF, volumes: [], images: ["registry.lan/app:1"], blobs };
}

async function pulled({ patch }: Scene, need: Need, options: Partial<PullOptions> = {}): Promise<PullResult> {
  return await pull([], { output: patch, need: Buffer.from(formatNeed(need)), ...options });
}

/** Bodies of the entries of a tar, in order. */
async function entriesOf(path: string): Promise<ReadonlyMap<string, Buffer>> {
  const bytes = await readFile(path);
  const index = await indexTar({
    size: bytes.length,
    read: async (into, at) => bytes.copy(into, 0, at, at + into.length),
  });
  return new Map(
    [...index.entries.values()].map(({ name, bodyOffset, size }) => [
      name,
      bytes.subarray(bodyOffset, bodyOffset + size),
    ]),
  );
}

async function caught(promise: Promise<unknown>): Promise<ImgpackError> {
  const error: unknown = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (error instanceof ImgpackError) return error;
  throw new Error("no error");
}

const nameOf = (bytes: Buffer): string => `blobs/sha256/${sha256(bytes).slice(7)}`;
const pieceAt = (from: number): string => `imgpack/pieces/${sha256(BIG).slice(7)}/${String(from).padStart(16, "0")}`;

describe("pull of a need list", () => {
  test("writes the list, whole blobs and pieces, and asks for nothing but these, by digest", async () => {
    const one = await scene();
    const { registry, row, manifest, patch } = one;
    const ranges = [
      [0, PIECE],
      [2 * PIECE, BIG.length],
    ] as const;
    const need = needOf(row(BIG, { ranges }), row(SMALL), row(manifest, { kind: "manifest" }));
    const result = await pulled(one, need);
    expect(result.patch).toEqual({ of: OF, blobs: 2, pieces: 2, images: ["registry.lan/app:1"] });
    expect(result.blobBytes).toBe(PIECE + 1000 + SMALL.length + manifest.length);
    const entries = await entriesOf(patch);
    const whole = [nameOf(SMALL), nameOf(manifest)].sort();
    expect([...entries.keys()]).toEqual(["imgpack.json", ...whole, pieceAt(0), pieceAt(2 * PIECE)]);
    expect(entries.get("imgpack.json")?.toString()).toBe(formatNeed(need));
    expect(entries.get(nameOf(SMALL))?.equals(SMALL)).toBe(true);
    expect(entries.get(nameOf(manifest))?.equals(manifest)).toBe(true);
    for (const [from, to] of ranges) expect(entries.get(pieceAt(from))?.equals(BIG.subarray(from, to))).toBe(true);
    const blobs = registry.seen(/blobs/).map(({ path, headers: { range } }) => `${path.slice(14, 26)} ${range}`);
    expect(blobs.sort()).toEqual(
      [
        `${sha256(BIG).slice(0, 12)} bytes=0-${PIECE - 1}`,
        `${sha256(BIG).slice(0, 12)} bytes=${2 * PIECE}-${BIG.length - 1}`,
        `${sha256(SMALL).slice(0, 12)} undefined`,
      ].sort(),
    );
    expect(registry.seen(/manifests/).map(({ path }) => path)).toEqual([`/v2/app/manifests/${sha256(manifest)}`]);
    const beyond = row(manifest, { kind: "manifest", size: 2 * PIECE, ranges: [[PIECE, 2 * PIECE]] });
    expect(await caught(pulled(one, needOf(beyond)))).toMatchObject({ exitCode: 6 });
  });

  test("works with a registry that ignores ranges", async () => {
    const one = await scene();
    const { row, registry } = one;
    registry.addFault({ on: /GET .*blobs/, times: 99, reply: { status: 200, headers: {}, body: BIG } });
    await pulled(one, needOf(row(BIG, { ranges: [[PIECE, 2 * PIECE]] })));
    const piece = (await entriesOf(one.patch)).get(pieceAt(PIECE));
    expect(piece?.equals(BIG.subarray(PIECE, 2 * PIECE))).toBe(true);
  });

  test("asks the repositories of a row in turn, also if one has wrong bytes", async () => {
    const wrong = Buffer.alloc(SMALL.length, 1);
    for (const reply of [{ status: 404 }, { status: 403 }, { status: 200, headers: {}, body: wrong }]) {
      const one = await scene({ on: /\/v2\/first\//, reply });
      const { host } = one.registry;
      const repositories = [`${host}/first`, `${host}/second`];
      const need = needOf(
        one.row(SMALL, { repositories }),
        ...(reply.status === 200 ? [] : [one.row(BIG, { repositories, ranges: [[0, PIECE]] })]),
      );
      await pulled(one, need);
      const entries = await entriesOf(one.patch);
      expect(entries.get(nameOf(SMALL))?.equals(SMALL)).toBe(true);
    }
  });

  test("names each blob that is gone, and writes nothing", async () => {
    const one = await scene();
    const { registry, row, folder, manifest } = one;
    registry.content.blobs.delete(sha256(SMALL));
    registry.content.manifests.delete(sha256(manifest));
    const other = seededBytes("never there", 100);
    const need = needOf(
      row(SMALL),
      row(other),
      row(manifest, { kind: "manifest" }),
      row(BIG, { ranges: [[0, PIECE]] }),
    );
    const error = await caught(pulled(one, need));
    expect(error.exitCode).toBe(5);
    expect(error.message).toContain("Cannot pull what bundle aaaaaaaaaaaa needs: no longer there: ");
    for (const bytes of [SMALL, other])
      expect(error.message).toContain(`layer ${sha256(bytes)} from ${registry.host}/app`);
    expect(error.message).toContain(`manifest ${sha256(manifest)}`);
    expect(error.message).not.toContain(sha256(BIG));
    expect(readdirSync(folder)).toEqual([]);
  });

  test("names each blob of which no repository is known, before a request", async () => {
    const made = await scene();
    const [big, small] = [made.row(BIG, { repositories: [] }), made.row(SMALL)];
    const error = await caught(pulled(made, needOf(big, small)));
    expect(error.message).toContain(`no repository is known for layer ${big.digest}, expected one for each blob`);
    expect(error).toMatchObject({ exitCode: 5, hint: expect.stringContaining("copy the archive again") });
    expect(made.registry.requests).toEqual([]);
    expect(readdirSync(made.folder)).toEqual([]);
  });

  test("a blob that is not what its digest says is refused, and no patch is written", async () => {
    const one = await scene({
      on: /GET .*blobs/,
      reply: { status: 200, headers: {}, body: Buffer.alloc(SMALL.length) },
    });
    const error = await caught(pulled(one, needOf(one.row(SMALL))));
    expect([error.exitCode, readdirSync(one.folder)]).toEqual([6, []]);
  });

  test("resumes pieces and blobs of an interrupted run, and asks for the rest alone", async () => {
    const one = await scene();
    const { registry, row, folder } = one;
    const need = needOf(
      row(BIG, {
        ranges: [
          [0, PIECE],
          [2 * PIECE, BIG.length],
        ],
      }),
      row(SMALL),
    );
    const last = `bytes=${2 * PIECE}-${BIG.length - 1}`;
    registry.addFault({
      on: /GET .*blobs/,
      times: 1,
      when: ({ headers }) => headers.range === last,
      reply: { status: 403 },
    });
    await caught(pulled(one, need, { concurrency: 1 }));
    expect(readdirSync(folder).sort()).toEqual(["patch.tar.partial", "patch.tar.partial.journal"]);
    registry.requests.length = 0;
    const events: string[] = [];
    await pulled(one, need, { onProgress: event => void (event.kind === "skipped" && events.push(event.reason)) });
    expect(registry.seen(/blobs/).map(({ headers: { range } }) => range)).toEqual([last]);
    expect(events).toEqual(["kept", "kept"]);
    const entries = await entriesOf(one.patch);
    expect(entries.get(pieceAt(0))?.equals(BIG.subarray(0, PIECE))).toBe(true);
    expect(entries.get(pieceAt(2 * PIECE))?.equals(BIG.subarray(2 * PIECE))).toBe(true);
  });
});

describe("a need list that cannot be pulled", () => {
  test("options that choose images, and outputs that are no file, are refused", async () => {
    const one = await scene();
    const need = needOf(one.row(SMALL));
    expect((await caught(pulled(one, need, { platform: "all" }))).message).toContain(
      "Cannot use platform with a need list",
    );
    expect((await caught(pulled(one, need, { volumeSize: "8M" }))).message).toContain(
      "Cannot use volumeSize with a need list",
    );
    expect((await caught(pulled(one, need, { output: one.folder }))).message).toContain(
      "Cannot write a patch to a folder",
    );
    expect((await caught(pulled(one, needOf()))).message).toContain("it needs nothing");
    const text = Buffer.from(formatNeed(need).replace('"version":1', '"version":2'));
    expect((await caught(pulled(one, need, { need: text }))).message).toContain("found version 2, expected 1");
    const both = pull([`${one.registry.host}/app:1`], { output: one.patch, need: text });
    expect((await caught(both)).message).toContain("found references next to it");
    expect(one.registry.requests).toEqual([]);
  });

  test("credentials of the call are not for the registries that the list names", async () => {
    const one = await scene();
    const registry = { auth: { username: "ci", password: "secret" } };
    const error = await caught(pulled(one, needOf(one.row(SMALL)), { registry }));
    expect(error.message).toContain(`Cannot use --username for ${one.registry.host}`);
  });
});

test("imgpack pull -f need.json writes the patch, and other commands say that a need list is no list of images", async () => {
  const one = await scene();
  const { folder, patch, registry } = one;
  const path = join(folder, "need.json");
  await writeFile(path, formatNeed(needOf(one.row(SMALL), one.row(BIG, { ranges: [[0, PIECE]] }))));
  const run = await runCommand("pull", "-f", path, "-o", patch);
  expect([run.exitCode, run.stdout]).toEqual([0, ""]);
  expect(run.stderr).toContain("For bundle aaaaaaaaaaaa, 1 image: registry.lan/app:1\n");
  expect(run.stderr).toContain("1 piece of blobs, 4.0 MiB");
  expect([...(await entriesOf(patch)).keys()]).toContain(pieceAt(0));
  const next = await runCommand("pull", `${registry.host}/app:1`, "-f", path, "-o", patch);
  expect([next.exitCode, next.stderr]).toEqual([2, expect.stringContaining("Cannot pull need list")]);
  const lock = await runCommand("lock", "-f", path);
  expect([lock.exitCode, lock.stderr]).toEqual([
    2,
    expect.stringContaining("found a need list, expected names of images"),
  ]);
});
