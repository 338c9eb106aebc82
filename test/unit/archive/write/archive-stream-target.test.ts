import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { archiveFileTarget } from "../../../../src/archive/write/archive-file-target.ts";
import { archiveStreamTarget } from "../../../../src/archive/write/archive-stream-target.ts";
import { sharedChunks } from "../../../../src/content/chunks/chunks.ts";
import type { BlobSource, ImageTarget } from "../../../../src/content/contracts.ts";
import { copyImages } from "../../../../src/copy/copy-image.ts";
import { openDigestCache } from "../../../../src/copy/digest-cache.ts";
import { gather } from "../../../../src/copy/gather.ts";
import { StorageError } from "../../../../src/errors.ts";
import { OCI_LAYER_GZIP } from "../../../../src/oci/media-types.ts";
import { fixedPace } from "../../../../src/util/pace/pace.ts";
import { temporaryFolder } from "../../../support/images.ts";
import { noise, partsBlob } from "../../../support/memory-blobs.ts";
import { addImage, type MemorySource, memorySource, settledRoot } from "../../../support/memory-image.ts";

const MIB = 1024 * 1024;
const platform = { os: "linux", architecture: "amd64" };

/** An image with layers of these sizes, the later ones in other parts than chunks. */
function imageOf(source: MemorySource, sizes: readonly number[]): ReturnType<typeof settledRoot> {
  const layers = sizes.map((size, seed) => source.add(OCI_LAYER_GZIP, noise(size, seed + 1)));
  return settledRoot(addImage(source, "app", { layers }), "docker.io/library/app:1");
}

async function copyTo(
  target: ImageTarget,
  source: MemorySource,
  root: ReturnType<typeof settledRoot>,
  signal?: AbortSignal,
): Promise<void> {
  await copyImages({
    plan: await gather(source, [root]),
    source,
    target,
    sourceName: "memory",
    cache: await openDigestCache(undefined),
    pace: fixedPace(4),
    onProgress: () => undefined,
    signal,
  });
}

/** Keeps what it is given, a turn of the event loop later. */
function slowSink(): { readonly stream: Writable; bytes(): Buffer } {
  const parts: Buffer[] = [];
  const stream = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _encoding, onDone) {
      setImmediate(() => {
        parts.push(Buffer.from(chunk));
        onDone();
      });
    },
  });
  return { stream, bytes: () => Buffer.concat(parts) };
}

describe("archiveStreamTarget()", () => {
  test.each([
    ["small layers", [100, 512, 1, 0]],
    ["layers of several chunks", [3 * MIB + 1, 2 * MIB, 5 * MIB, 17, MIB]],
    ["layers that do not fit what is read ahead", [9 * MIB, 9 * MIB + 511, 9 * MIB + 3, 10 * MIB, 8 * MIB, 9 * MIB]],
  ])("archiveStreamTarget() writes the bytes of archiveFileTarget(): %s", async (_what, sizes) => {
    const source = memorySource();
    const root = imageOf(source, sizes);
    const path = join(await temporaryFolder(), "out.tar");
    await copyTo(archiveFileTarget(path, { platform }), source, root);
    const sink = slowSink();
    await copyTo(archiveStreamTarget(sink.stream, { platform }), source, root);
    expect(sink.bytes().equals(await readFile(path))).toBe(true);
    expect(sharedChunks.lentChunks).toBe(0);
    // It belongs to the caller.
    expect(sink.stream.writableEnded).toBe(false);
    expect(sink.stream.listenerCount("error")).toBe(0);
  });

  test("archiveStreamTarget() waits for the first blob while the next ones come, and keeps its order", async () => {
    const source = memorySource();
    const root = imageOf(source, [2000, 3000, 4000]);
    const plan = await gather(source, [root]);
    const path = join(await temporaryFolder(), "out.tar");
    await copyTo(archiveFileTarget(path, { platform }), source, root);
    const sink = slowSink();
    await using session = await archiveStreamTarget(sink.stream, { platform }).begin(plan);
    const order = session.order ?? [];
    expect([...order].sort()).toEqual(plan.blobs.map(({ digest }) => digest).sort());
    const puts = [...order].reverse().map(async digest => {
      const descriptor = plan.blobs.find(blob => blob.digest === digest);
      if (descriptor !== undefined) await session.put(descriptor, await source.blob(descriptor));
    });
    await Promise.all(puts);
    await session.commit([]);
    expect(sink.bytes().equals(await readFile(path))).toBe(true);
  });

  test("F-06 archiveStreamTarget() stops with exit code 9 when the reader closes the pipe", async () => {
    const source = memorySource();
    const root = imageOf(source, [5 * MIB, 5 * MIB, 5 * MIB]);
    let written = 0;
    const stream = new Writable({
      write(chunk: Buffer, _encoding, onDone) {
        written += chunk.length;
        onDone(written > MIB ? Object.assign(new Error("write EPIPE"), { code: "EPIPE" }) : null);
      },
    });
    const error = await copyTo(archiveStreamTarget(stream, { platform }), source, root).catch(fault => fault);
    expect(error).toBeInstanceOf(StorageError);
    expect(error).toMatchObject({ exitCode: 9, message: expect.stringContaining("its reader has gone") });
    expect(sharedChunks.lentChunks).toBe(0);
  });

  test("F-06 archiveStreamTarget() stops when the stream is destroyed in the middle of a write", async () => {
    const source = memorySource();
    const root = imageOf(source, [5 * MIB, 100]);
    const stream = new PassThrough({ highWaterMark: 1 });
    stream.once("readable", () => stream.destroy());
    await expect(copyTo(archiveStreamTarget(stream, { platform }), source, root)).rejects.toThrow(
      "its reader has gone",
    );
    expect(sharedChunks.lentChunks).toBe(0);
  });

  test("archiveStreamTarget() says when the disk behind a redirected stdout is full", async () => {
    const source = memorySource();
    const stream = new Writable({
      write: (_chunk, _encoding, onDone) => onDone(Object.assign(new Error("full"), { code: "ENOSPC" })),
    });
    const error = await copyTo(archiveStreamTarget(stream, { platform }), source, imageOf(source, [1])).catch(
      fault => fault,
    );
    expect(error).toMatchObject({ exitCode: 9, message: expect.stringContaining("no space left") });
  });

  test("archiveStreamTarget() ends with the signal's reason while nobody reads, and gives all memory back", async () => {
    const source = memorySource();
    const root = imageOf(source, [9 * MIB, 9 * MIB, 9 * MIB]);
    const stop = new AbortController();
    const stream = new PassThrough({ highWaterMark: 1 });
    const copying = copyTo(archiveStreamTarget(stream, { platform }), source, root, stop.signal);
    stream.once("readable", () => stop.abort(new Error("stopped")));
    await expect(copying).rejects.toThrow("stopped");
    expect(sharedChunks.lentChunks).toBe(0);
  });

  test("archiveStreamTarget() does not finish when a blob breaks, and neither do those behind it", async () => {
    const source = memorySource();
    const root = imageOf(source, [100, 200]);
    const bytes = noise(300, 9);
    const broken: BlobSource = partsBlob(bytes, 100, { breaksWith: new Error("line is cut") });
    const layer = source.add(OCI_LAYER_GZIP, bytes);
    source.addBlob(layer, broken);
    const other = settledRoot(addImage(source, "other", { layers: [layer] }));
    const plan = await gather(source, [root, other]);
    const sink = slowSink();
    const options = { sourceName: "memory", cache: await openDigestCache(undefined), pace: fixedPace(4) };
    const copying = copyImages({
      ...options,
      plan,
      source,
      target: archiveStreamTarget(sink.stream, { platform }),
      onProgress: () => undefined,
    });
    await expect(copying).rejects.toThrow("line is cut");
    expect(sharedChunks.lentChunks).toBe(0);
  });
});
