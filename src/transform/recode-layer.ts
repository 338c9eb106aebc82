import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import { Readable } from "node:stream";
import { decompress } from "../compress/decompress.ts";
import { detectCompression, MAGIC_BYTES } from "../compress/detect.ts";
import { gzipBlock, gzipBlockHere } from "../compress/gzip-blocks.ts";
import { GZIP_BLOCK_BYTES, type GzipProfile } from "../compress/gzip-profile.ts";
import { createBlobHash } from "../content/blob-hash.ts";
import type { BlobSource } from "../content/contracts.ts";
import { verified } from "../content/verified.ts";
import { IntegrityError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, type DigestAlgorithm, digestAlgorithm } from "../oci/digest.ts";

/** What a layer becomes: gzip of this profile, or the plain tar. */
export type LayerForm = GzipProfile | "raw";

export interface RecodedLayer {
  readonly digest: Digest;
  readonly size: number;
}

/** Blocks that one layer compresses at once; several layers may be under way. */
const MOST_BLOCKS = 3;
/** Framing of a block that does not shrink. */
const SPARE_BYTES = 1024;

/**
 * The layer in another compression, made anew each time it is opened; what it is made of is verified on the way. The same
 * layer gives the same bytes on any machine.
 *
 * @param size of the result; 0 while it is not known.
 */
export function recodedBlob(
  layer: Descriptor,
  blob: BlobSource,
  diffId: Digest,
  form: LayerForm,
  size: number,
): BlobSource {
  return {
    size,
    isOnce: blob.isOnce ?? false,
    async open(range, signal) {
      const from = await verified(layer, blob, `layer ${layer.digest}`).open(undefined, signal);
      const parts = recode(from, layer, diffId, form, signal);
      const ranged = range === undefined ? parts : cut(parts, range.start, range.end);
      // A generator that was never started would leave it open.
      return Readable.from(ranged, { objectMode: false }).once("close", () => from.destroy());
    },
  };
}

/** Reads the layer once for the digest and size that it gets. @throws IntegrityError when it is not its diff_id */
export async function measureLayer(
  layer: Descriptor,
  blob: BlobSource,
  diffId: Digest,
  form: LayerForm,
  signal?: AbortSignal,
): Promise<RecodedLayer> {
  const hash = createHash("sha256");
  let size = 0;
  const stream = await recodedBlob(layer, blob, diffId, form, 0).open(undefined, signal);
  for await (const part of stream as AsyncIterable<Uint8Array>) {
    hash.update(part);
    size += part.length;
  }
  return { digest: `sha256:${hash.digest("hex")}`, size };
}

async function* recode(
  from: Readable,
  layer: Descriptor,
  diffId: Digest,
  form: LayerForm,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const inflated = inflate(from, layer, diffId, signal);
  const algorithm = digestAlgorithm(diffId);
  const found =
    form === "raw" ? yield* hashed(inflated, algorithm) : yield* gzipped(inflated, algorithm, layer.size, form);
  if (found === diffId) return;
  throw new IntegrityError(`Cannot accept layer ${layer.digest}: diff_id is ${found}, expected ${diffId}`, {
    hint: "The image was damaged or built wrongly: its config names another layer. No runtime would load it.",
  });
}

async function* inflate(
  from: Readable,
  { digest }: Descriptor,
  diffId: Digest,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const parts = (from as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  let start = Buffer.alloc(0);
  while (start.length < MAGIC_BYTES) {
    const next = await parts.next();
    if (next.done) break;
    start = Buffer.concat([start, next.value]);
  }
  async function* whole(): AsyncGenerator<Uint8Array> {
    if (start.length > 0) yield start;
    for (let next = await parts.next(); !next.done; next = await parts.next()) yield next.value;
  }
  // A plain tar may begin with a file called "BZh": what hashes to its diff_id is not compressed.
  const compression = digest === diffId ? undefined : detectCompression(start);
  if (compression === undefined) yield* whole();
  else {
    const source = Readable.from(whole(), { objectMode: false });
    // Without a limit on the ratio: a genuine layer of zeros shrinks 1030 times, and nothing is kept.
    yield* decompress(source, compression, `layer ${digest}`, signal, Number.POSITIVE_INFINITY);
  }
}

async function* hashed(
  parts: AsyncIterable<Uint8Array>,
  algorithm: DigestAlgorithm,
): AsyncGenerator<Uint8Array, Digest> {
  const hash = createHash(algorithm);
  for await (const part of parts) {
    hash.update(part);
    yield part;
  }
  return `${algorithm}:${hash.digest("hex")}`;
}

interface Block {
  readonly bytes: Uint8Array;
  readonly room: Uint8Array;
}

/** Several blocks are compressed at once, each in its own memory, and come out in order. */
async function* gzipped(
  parts: AsyncIterable<Uint8Array>,
  algorithm: DigestAlgorithm,
  likelyBytes: number,
  profile: GzipProfile,
): AsyncGenerator<Uint8Array, Digest> {
  const rawHash = createBlobHash(algorithm, likelyBytes);
  const depth = Math.min(MOST_BLOCKS, availableParallelism());
  const queue: { readonly block: Block; readonly member: Promise<Uint8Array> }[] = [];
  const free: Block[] = [];
  let block = createBlock();
  let filled = 0;
  let isEnded = false;
  const send = (gzip: typeof gzipBlock): void => {
    const bytes = block.bytes.subarray(0, filled);
    const member = Promise.all([gzip(bytes, block.room, profile), rawHash.update(bytes)]).then(([done]) => done);
    // Awaited when its turn comes.
    member.catch(() => undefined);
    queue.push({ block, member });
    filled = 0;
  };
  async function* take(most: number): AsyncGenerator<Uint8Array> {
    for (let next = queue[0]; next !== undefined && queue.length > most; next = queue[0]) {
      const member = await next.member;
      // A copy, because the block is used again while the reader may still have it.
      yield member.slice();
      queue.shift();
      free.push(next.block);
    }
  }
  try {
    for await (const part of parts) {
      for (let taken = 0; taken < part.length; ) {
        if (filled === GZIP_BLOCK_BYTES) {
          send(gzipBlock);
          yield* take(depth - 1);
          block = free.pop() ?? createBlock();
        }
        const step = Math.min(GZIP_BLOCK_BYTES - filled, part.length - taken);
        block.bytes.set(part.subarray(taken, taken + step), filled);
        filled += step;
        taken += step;
      }
    }
    // A layer of a single block, or of none, is not worth a thread.
    send(queue.length === 0 && free.length === 0 ? gzipBlockHere : gzipBlock);
    yield* take(0);
    isEnded = true;
    return await rawHash.digest();
  } finally {
    if (!isEnded) {
      await Promise.allSettled(queue.map(({ member }) => member));
      await rawHash.drop();
    }
  }
}

function createBlock(): Block {
  const memory = new SharedArrayBuffer(2 * GZIP_BLOCK_BYTES + SPARE_BYTES);
  return { bytes: new Uint8Array(memory, 0, GZIP_BLOCK_BYTES), room: new Uint8Array(memory, GZIP_BLOCK_BYTES) };
}

async function* cut(parts: AsyncIterable<Uint8Array>, start: number, end: number): AsyncGenerator<Uint8Array> {
  let position = 0;
  for await (const part of parts) {
    const wanted = part.subarray(Math.max(0, start - position), Math.max(0, end - position));
    if (wanted.length > 0) yield wanted;
    position += part.length;
    if (position >= end) return;
  }
}
