import { Readable } from "node:stream";
import { decompress } from "../compress/decompress.ts";
import type { Compression } from "../compress/detect.ts";
import { gzipBlock, gzipBlockHere } from "../compress/gzip-blocks.ts";
import { GZIP_BLOCK_BYTES, type GzipProfile } from "../compress/gzip-profile.ts";
import { mapChunks } from "../content/blob-chunks.ts";
import { type BlobHash, createBlobHash } from "../content/blob-hash.ts";
import { sharedChunks } from "../content/chunks.ts";
import type { BlobSource, PendingStream, Seal } from "../content/contracts.ts";
import { IntegrityError, InternalError } from "../errors.ts";
import { type Digest, digestAlgorithm } from "../oci/digest.ts";
import { allEnded } from "../util/abort.ts";

/** More than enough for a member without content. */
const EMPTY_MEMBER_BYTES = 64;

export interface GzipLayerOptions {
  /** Of the gzip layer that comes out. */
  readonly mediaType: string;
  readonly profile: GzipProfile;
  /** As messages name it, for example `layer from archive`. */
  readonly what: string;
  /** What the raw layer must hash to; its sha256 is told by the seal anyway. */
  readonly diffId?: Digest | undefined;
  /** How the bytes are compressed now. */
  readonly compression?: Compression | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Hears how many bytes of the blob have been read, before they are inflated. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/**
 * A layer as deterministic gzip, hashed on both sides while it passes.
 *
 * The stream throws IntegrityError at its end when the raw bytes are not what `diffId` says.
 */
export function gzipLayer(blob: BlobSource, options: GzipLayerOptions): PendingStream {
  const { profile, diffId, signal, onBytes, what, compression } = options;
  const raw = compression === undefined ? blob : inflatedBlob(blob, compression, what, onBytes);
  const onRaw = compression === undefined ? onBytes : undefined;
  const rawHash = createBlobHash(diffId === undefined ? "sha256" : digestAlgorithm(diffId), raw.size);
  const gzipHash = createBlobHash("sha256", raw.size);
  const gzip = raw.size > GZIP_BLOCK_BYTES ? gzipBlock : gzipBlockHere;
  let seal: Seal | undefined;
  const compressBlock = async (chunk: Uint8Array, position: number): Promise<Uint8Array> => {
    // Equal layers give equal digests only if blocks begin at the same bytes.
    if (position % GZIP_BLOCK_BYTES !== 0) throw new InternalError(`Cannot compress ${what}: block at ${position}`);
    const [member] = await allEnded([gzip(chunk, sharedChunks.spare(chunk), profile), rawHash.update(chunk)]);
    onRaw?.(chunk.length);
    return member;
  };
  async function* body(): AsyncGenerator<Uint8Array, void> {
    let size = 0;
    try {
      for await (const member of mapChunks(raw, compressBlock, signal)) {
        size += member.length;
        await gzipHash.update(member);
        yield member;
      }
      if (size === 0) {
        const member = await gzip(new Uint8Array(0), new Uint8Array(EMPTY_MEMBER_BYTES), profile);
        size = member.length;
        await gzipHash.update(member);
        yield member;
      }
      seal = await sealOf(rawHash, gzipHash, size, options);
    } finally {
      if (seal === undefined) await Promise.all([rawHash.drop(), gzipHash.drop()]);
    }
  }
  return {
    body: body(),
    seal() {
      if (seal === undefined) throw new InternalError(`Cannot seal ${what}: its end was not reached`);
      return seal;
    },
  };
}

async function sealOf(
  rawHash: BlobHash,
  gzipHash: BlobHash,
  size: number,
  { mediaType, diffId, what }: GzipLayerOptions,
): Promise<Seal> {
  const found = await rawHash.digest();
  const digest = await gzipHash.digest();
  if (diffId !== undefined && found !== diffId) throw wrongDiffId(what, diffId, found);
  return { descriptor: { mediaType, digest, size }, diffId: found };
}

/** Its size is only known to be more than that of the blob. */
function inflatedBlob(
  blob: BlobSource,
  compression: Compression,
  what: string,
  onBytes: GzipLayerOptions["onBytes"],
): BlobSource {
  return {
    size: GZIP_BLOCK_BYTES + blob.size,
    async open(_range, signal) {
      const stored = await blob.open(undefined, signal);
      const counted = Readable.from(countedParts(stored, onBytes), { objectMode: false });
      // A layer of zeros shrinks without limit, and is hashed and forgotten.
      const parts = decompress(counted, compression, what, signal, Number.POSITIVE_INFINITY);
      return Readable.from(parts, { objectMode: false });
    },
  };
}

async function* countedParts(stream: Readable, onBytes: GzipLayerOptions["onBytes"]): AsyncGenerator<Uint8Array> {
  for await (const part of stream as AsyncIterable<Uint8Array>) {
    onBytes?.(part.length);
    yield part;
  }
}

export function wrongDiffId(what: string, diffId: Digest, found: Digest): IntegrityError {
  return new IntegrityError(`Cannot accept ${what}: diff_id is ${found}, expected ${diffId}`, {
    hint: "The archive was damaged or altered after it was saved: compare its checksum with the sender's and copy it again.",
  });
}
