import { gzipBlock, gzipBlockHere } from "../compress/gzip/gzip-blocks.ts";
import { GZIP_BLOCK_BYTES, type GzipProfile } from "../compress/gzip/gzip-profile.ts";
import type { LayerProfile } from "../compress/layer-profile.ts";
import { zstdStream } from "../compress/zstd/zstd-stream.ts";
import { mapChunks } from "../content/blob-chunks.ts";
import { createBlobHash } from "../content/blob-hash.ts";
import { sharedChunks } from "../content/chunks/chunks.ts";
import type { BlobSource, PendingStream, Seal } from "../content/contracts.ts";
import { sealedStream } from "../content/hashed-blob.ts";
import { IntegrityError, InternalError } from "../errors.ts";
import { type Digest, digestAlgorithm } from "../oci/digest.ts";
import { allEnded } from "../util/promises.ts";
import { type InflateOptions, inflatedBlob } from "./inflated-blob.ts";

/** More than enough for a member without content. */
const EMPTY_MEMBER_BYTES = 64;
const DAMAGED_ARCHIVE =
  "The archive was damaged or altered after it was saved: compare its checksum with the sender's and copy it again.";

/** Checks the uncompressed bytes of a layer while they are read; throws if they are wrong. */
export interface RawCheck {
  take(chunk: Uint8Array): void;
  end(): void;
}

/** `onBytes` is called with the number of bytes of the blob that were read, before they are inflated. */
export interface PackLayerOptions extends Pick<InflateOptions, "what" | "ratioLimit" | "onBytes"> {
  /** Of the resulting layer. */
  readonly mediaType: string;
  /** Undefined leaves the layer uncompressed. */
  readonly profile: LayerProfile | undefined;
  /** Expected hash of the raw layer; the seal contains it in any case. */
  readonly diffId?: Digest | undefined;
  /** For the error about another hash. */
  readonly hint?: string | undefined;
  /** How the bytes are compressed now. */
  readonly compression?: InflateOptions["compression"] | undefined;
  readonly check?: RawCheck | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A layer in deterministic compression; hashes input and output while it is read. The stream throws IntegrityError at its
 * end if the raw bytes do not have the given `diffId`.
 */
export function packLayer(blob: BlobSource, options: PackLayerOptions): PendingStream {
  return sealedStream(options.what, layerParts(blob, options));
}

async function* layerParts(blob: BlobSource, options: PackLayerOptions): AsyncGenerator<Uint8Array, Seal> {
  const { mediaType, profile, diffId, signal, what, compression, check } = options;
  const raw = compression === undefined ? blob : inflatedBlob(blob, { ...options, compression });
  const onRaw = compression === undefined ? options.onBytes : undefined;
  const algorithm = diffId === undefined ? "sha256" : digestAlgorithm(diffId);
  const rawHash = createBlobHash(algorithm, raw.size);
  const isSame = profile === undefined && algorithm === "sha256";
  const packedHash = isSame ? undefined : createBlobHash("sha256", raw.size);
  const pack = async (chunk: Uint8Array, position: number): Promise<Uint8Array> => {
    check?.take(chunk);
    const packed = profile?.format === "gzip" ? gzipChunk(chunk, position, profile) : chunk;
    const [part] = await allEnded([packed, rawHash.update(chunk)]);
    onRaw?.(chunk.length);
    return part;
  };
  let size = 0;
  async function* hashed(parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const part of parts) {
      size += part.length;
      await packedHash?.update(part);
      yield part;
    }
  }
  let isSealed = false;
  try {
    const chunks = mapChunks(raw, pack, signal);
    yield* hashed(profile?.format === "zstd" ? zstdStream(chunks, profile) : chunks);
    if (size === 0 && profile?.format === "gzip") yield* hashed(emptyMember(profile));
    check?.end();
    const found = await rawHash.digest();
    if (diffId !== undefined && found !== diffId) throw wrongDiffId(what, diffId, found, options.hint);
    const digest = (await packedHash?.digest()) ?? found;
    isSealed = true;
    return { descriptor: { mediaType, digest, size }, diffId: found };
  } finally {
    if (!isSealed) await Promise.all([rawHash.drop(), packedHash?.drop()]);
  }
}

async function gzipChunk(chunk: Uint8Array, position: number, profile: GzipProfile): Promise<Uint8Array> {
  // Equal layers have equal digests only if blocks start at the same bytes.
  if (position % GZIP_BLOCK_BYTES !== 0) throw new InternalError(`Cannot compress layer: block at ${position}`);
  // A thread costs more than it saves for a layer of one block.
  const gzip = position === 0 && chunk.length < GZIP_BLOCK_BYTES ? gzipBlockHere : gzipBlock;
  return await gzip(chunk, sharedChunks.spare(chunk), profile);
}

async function* emptyMember(profile: GzipProfile): AsyncGenerator<Uint8Array> {
  yield await gzipBlockHere(new Uint8Array(0), new Uint8Array(EMPTY_MEMBER_BYTES), profile);
}

export function wrongDiffId(
  what: string,
  diffId: Digest,
  found: Digest,
  hint: string = DAMAGED_ARCHIVE,
): IntegrityError {
  return new IntegrityError(`Cannot accept ${what}: diff_id is ${found}, expected ${diffId}`, { hint });
}
