import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { gzipBlock, gzipBlockHere } from "../../../../src/compress/gzip/gzip-blocks.ts";
import { GZIP_BLOCK_BYTES, gzipProfile } from "../../../../src/compress/gzip/gzip-profile.ts";
import { CHUNK_BYTES } from "../../../../src/content/chunks/chunks.ts";
import type { PendingBlob } from "../../../../src/content/contracts.ts";
import { gzipInput, type InputPart } from "../../../support/gzip-inputs.mjs";
import { collect, partsBlob, sha256Of } from "../../../support/memory-blobs.ts";
import { layerDraft } from "../../../support/memory-image.ts";

interface Vector {
  readonly name: string;
  readonly parts: readonly InputPart[];
  readonly inputBytes: number;
  readonly inputSha256: string;
  readonly levels: readonly { readonly level: number; readonly gzipBytes: number; readonly gzipSha256: string }[];
}

const DEFAULT_LEVEL = 2;

// Frozen: a difference means that layers would get other digests than those already in registries and caches.
const { profile, vectors }: { readonly profile: string; readonly vectors: readonly Vector[] } = JSON.parse(
  readFileSync(new URL("../../../../fixtures/gzip-profile-v2.json", import.meta.url), "utf8"),
);
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const summary = (bytes: Uint8Array): object => ({ gzipBytes: bytes.length, gzipSha256: sha256(bytes) });
const wanted = (vector: Vector, level = DEFAULT_LEVEL): object => {
  const found = vector.levels.find(each => each.level === level);
  return { gzipBytes: found?.gzipBytes, gzipSha256: found?.gzipSha256 };
};
const inputs = new Map<string, Uint8Array>();
const inputOf = ({ name, parts }: Vector): Uint8Array => {
  const input = inputs.get(name) ?? gzipInput(parts);
  inputs.set(name, input);
  return input;
};
const named = (name: string): Vector => {
  const vector = vectors.find(each => each.name === name);
  if (vector === undefined) throw new Error(`no vector ${name}`);
  return vector;
};

async function gzipWith(block: typeof gzipBlock, input: Uint8Array, level = DEFAULT_LEVEL): Promise<Buffer> {
  const members: Uint8Array[] = [];
  for (let start = 0; start < input.length || start === 0; start += GZIP_BLOCK_BYTES) {
    const shared = new Uint8Array(new SharedArrayBuffer(Math.min(GZIP_BLOCK_BYTES, input.length - start)));
    shared.set(input.subarray(start, start + GZIP_BLOCK_BYTES));
    members.push(
      await block(shared, new Uint8Array(new SharedArrayBuffer(GZIP_BLOCK_BYTES + 1024)), gzipProfile(level)),
    );
  }
  return Buffer.concat(members);
}

type CompressLayers = typeof import("../../../../src/transform/compress-layers.ts").compressLayers;

/** As the library starts on a machine with this many cores. */
async function compressLayersOn(cores: number): Promise<CompressLayers> {
  vi.resetModules();
  vi.doMock("node:os", async original => ({
    ...(await original<typeof import("node:os")>()),
    availableParallelism: () => cores,
  }));
  try {
    return (await import("../../../../src/transform/compress-layers.ts")).compressLayers;
  } finally {
    vi.doUnmock("node:os");
    vi.resetModules();
  }
}

/** As a push does it. */
async function pushedLayer(compressLayers: CompressLayers, input: Uint8Array, partBytes: number): Promise<Uint8Array> {
  const layers: PendingBlob[] = [];
  for await (const root of compressLayers(
    layerDraft(sha256Of(input), partsBlob(input, partBytes)),
    gzipProfile(),
  ).roots()) {
    if (root.kind === "draft") layers.push(...root.draft.layers.flatMap(layer => ("key" in layer ? [layer] : [])));
  }
  const stream = await layers[0]?.open();
  if (stream === undefined) throw new Error("the layer is not compressed");
  const output = await collect(stream.body);
  expect(stream.seal().descriptor).toMatchObject({ digest: sha256Of(output), size: output.length });
  return output;
}

test("gzipProfile() has the vectors' name at its default level, and another one at every other level", () => {
  expect(gzipProfile().name).toBe(`${profile}-l${DEFAULT_LEVEL}`);
  expect(new Set([gzipProfile(), gzipProfile(1), gzipProfile(12)].map(({ name }) => name)).size).toBe(3);
});

test("GZIP_BLOCK_BYTES is the size of a chunk, so that blocks are compressed where they were read", () => {
  expect(GZIP_BLOCK_BYTES).toBe(CHUNK_BYTES);
});

describe.each(vectors)("gzip vector $name", vector => {
  const input = inputOf(vector);

  test("comes from the input it names", () => {
    expect({ bytes: input.length, sha256: sha256(input) }).toEqual({
      bytes: vector.inputBytes,
      sha256: vector.inputSha256,
    });
  });

  test.each(vector.levels)(
    "is what gzipBlockHere() makes at level $level, and any gzip reads it",
    async ({ level }) => {
      const output = await gzipWith(gzipBlockHere, input, level);
      expect(summary(output)).toEqual(wanted(vector, level));
      expect(gunzipSync(output).equals(input)).toBe(true);
    },
  );

  // Smaller layers never go to a thread.
  if (input.length < GZIP_BLOCK_BYTES) return;
  test("is what gzipBlock() makes on a thread", async () => {
    expect(summary(await gzipWith(gzipBlock, input))).toEqual(wanted(vector));
  });
});

const PUSHES: readonly (readonly [cores: number, vectors: readonly (readonly [name: string, partBytes: number])[]])[] =
  [
    [
      1,
      [
        ["empty", 1],
        ["one-byte", 1],
        ["small-words", 1],
        ["probe-edge-above", 7],
        ["one-block-of-words", 65_536],
        ["one-block-and-a-byte", 4096],
        ["mixed", 1024 * 1024],
      ],
    ],
    [
      4,
      [
        ["small-words", 7],
        ["one-block-and-a-byte", 65_536],
        ["one-block-and-a-byte", 1023],
        ["mixed", 4096],
        ["noise-of-three-blocks", 1024 * 1024],
      ],
    ],
  ];

describe.each(PUSHES)("a layer pushed on %i cores", (cores, pushes) => {
  let compressLayers: CompressLayers;
  beforeAll(async () => {
    compressLayers = await compressLayersOn(cores);
  });

  test.each(pushes)("has the bytes of vector %s though it is read %i bytes at a time", async (name, partBytes) => {
    const vector = named(name);
    expect(summary(await pushedLayer(compressLayers, inputOf(vector), partBytes))).toEqual(wanted(vector));
  });
});

const READERS: readonly (readonly [tool: string, args: readonly string[]])[] = [
  ["gzip", ["-dc"]],
  ["pigz", ["-dc"]],
  ["igzip", ["-dc"]],
  ["libdeflate-gunzip", ["-c"]],
  ["python3", ["-c", "import gzip,sys; sys.stdout.buffer.write(gzip.decompress(sys.stdin.buffer.read()))"]],
];
const run = (tool: string, args: readonly string[], input?: Uint8Array): SpawnSyncReturns<Buffer> =>
  spawnSync(tool, args, { input, maxBuffer: 64 * 1024 * 1024 });

describe.each(READERS)("the gzip profile, read by %s,", (tool, args) => {
  const isAbsent = run(tool, ["--version"]).error !== undefined;

  test.skipIf(isAbsent)("gives the input back", async () => {
    for (const name of ["mixed", "empty"]) {
      const vector = named(name);
      const { status, stdout } = run(tool, args, await gzipWith(gzipBlockHere, inputOf(vector)));
      expect({ name, status, sha256: sha256(stdout) }).toEqual({ name, status: 0, sha256: vector.inputSha256 });
    }
  });
});
