// A patch that is written when the process ends or the disk is full: the next run has the same file, which has no name before.
import { existsSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type PieceSlot, patchTarget } from "../../src/archive/patch/patch-target.ts";
import type { Need } from "../../src/bundle/need/need.ts";
import { copyImages } from "../../src/copy/copy-image.ts";
import { openDigestCache } from "../../src/copy/digest-cache.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { OCI_LAYER } from "../../src/oci/media-types.ts";
import { fixedPace } from "../../src/util/pace/pace.ts";
import { noise } from "../support/memory-blobs.ts";
import { memorySource } from "../support/memory-image.ts";
import { withFault } from "./faults.ts";
import { OperationLog } from "./operation-log.ts";
import { scratchFolder } from "./pulling.ts";

const KIB = 1024;
const source = memorySource();
const whole = source.add(OCI_LAYER, noise(40 * KIB));
const large = noise(90 * KIB, 2);
const row = { kind: "layer", repositories: [] } as const;
const need: Need = {
  of: digestOf(Buffer.from("bundle")),
  volumes: [],
  images: [],
  blobs: [
    { ...row, digest: whole.digest, size: whole.size },
    {
      ...row,
      digest: digestOf(large),
      size: large.length,
      ranges: [
        [0, 30 * KIB],
        [60 * KIB, 90 * KIB],
      ],
    },
  ],
};

async function putPieces(slots: readonly PieceSlot[]): Promise<void> {
  for (const { range, kept, write } of slots)
    for (let at = range.start + kept; at < range.end; at += 10 * KIB)
      await write(large.subarray(at, Math.min(at + 10 * KIB, range.end)), at);
}

async function pull(path: string): Promise<void> {
  const resume = { command: "pull need", checkpointBytes: 16 * KIB, checkpointMs: 0 };
  await copyImages({
    plan: { roots: [], pending: [], blobs: [whole], manifests: new Map(), totalBytes: whole.size },
    source,
    target: patchTarget(path, need, { resume, putPieces }),
    sourceName: "the registry",
    cache: await openDigestCache(undefined),
    pace: fixedPace(2),
    onProgress: () => undefined,
  });
}

async function inFolder(work: (path: string) => Promise<void>): Promise<void> {
  const folder = await scratchFolder();
  try {
    await work(join(folder, "patch.tar"));
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("a patch is the same after one more run, whatever change of the disk the first one ended at", async () => {
  let wanted = Buffer.alloc(0);
  const log = new OperationLog();
  await inFolder(async path => {
    await log.record(async () => await pull(path));
    wanted = readFileSync(path);
  });
  const expectResumed = async (path: string, how: string): Promise<void> => {
    if (existsSync(path)) expect(readFileSync(path).equals(wanted), how).toBe(true);
    await pull(path);
    expect(readFileSync(path).equals(wanted), how).toBe(true);
  };
  for (let at = 0; at < log.operations.length; at += 1) {
    await inFolder(async path => {
      await new OperationLog().record(async () => await pull(path), at, at % 2 === 0);
      await expectResumed(path, `killed at ${at}`);
    });
    if (at % 3 !== 0) continue;
    await inFolder(async path => {
      const { error } = await withFault(async () => await pull(path), "ENOSPC", at);
      if (error !== undefined) expect(error).toMatchObject({ exitCode: 9 });
      await expectResumed(path, `full at ${at}`);
    });
  }
  expect(log.operations.length).toBeGreaterThan(15);
});
