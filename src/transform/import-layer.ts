import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { decompress } from "../compress/decompress.ts";
import type { Compression } from "../compress/detect.ts";
import { gzipBlock, gzipBlockHere } from "../compress/gzip-blocks.ts";
import type { GzipProfile } from "../compress/gzip-profile.ts";
import { mapChunks } from "../content/blob-chunks.ts";
import { createBlobHash } from "../content/blob-hash.ts";
import { CHUNK_BYTES, sharedChunks } from "../content/chunks.ts";
import type { BlobSource, PendingBlob, Seal } from "../content/contracts.ts";
import { IntegrityError, InternalError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { allEnded } from "../util/abort.ts";

/** Looks at the uncompressed bytes of a layer as they pass; throws what is wrong with them. */
export interface RawCheck {
  take(chunk: Uint8Array): void;
  end(): void;
}

/** The tar of a root filesystem, uncompressed: a file as it is, inflated on the way, or packed from a folder. */
export interface RawLayer {
  /** As messages name it. */
  readonly what: string;
  /** What `open` reports in all. */
  readonly sourceBytes: number;
  /** Its size may be an estimate. @param onBytes hears what has been read, of whatever it is made of. */
  open(onBytes: (bytes: number) => void): BlobSource;
  check(): RawCheck;
}

export interface LayerForm {
  readonly mediaType: string;
  /** Undefined leaves the layer uncompressed. */
  readonly profile: GzipProfile | undefined;
}

/** @param diffId when it is known already: then the digest cache may know the layer. */
export function importedLayer(layer: RawLayer, form: LayerForm, diffId?: Digest): PendingBlob {
  const { what, sourceBytes } = layer;
  const digest: Digest = diffId ?? `sha256:${"0".repeat(64)}`;
  return {
    key: diffId === undefined ? `pending:${what}` : `pending:${diffId}+${form.profile?.name ?? "raw"}`,
    mediaType: form.mediaType,
    sourceBytes,
    origin: { mediaType: form.mediaType, digest, size: sourceBytes },
    async open(signal, onBytes) {
      const sealed: { seal?: Seal } = {};
      return {
        body: layerParts(layer, form, diffId, sealed, signal, onBytes ?? (() => undefined)),
        seal() {
          if (sealed.seal === undefined) {
            throw new InternalError(`Cannot seal layer from ${what}: its end was not reached`);
          }
          return sealed.seal;
        },
      };
    },
  };
}

async function* layerParts(
  layer: RawLayer,
  { mediaType, profile }: LayerForm,
  expected: Digest | undefined,
  sealed: { seal?: Seal },
  signal: AbortSignal | undefined,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array, void> {
  const check = layer.check();
  const rawHash = createBlobHash("sha256", layer.sourceBytes);
  const packedHash = profile === undefined ? undefined : createBlobHash("sha256", layer.sourceBytes);
  const convert = async (chunk: Uint8Array, position: number): Promise<Uint8Array> => {
    check.take(chunk);
    // Threads do not pay for a layer of one block.
    const gzip = position === 0 && chunk.length < CHUNK_BYTES ? gzipBlockHere : gzipBlock;
    const packed = profile === undefined ? chunk : gzip(chunk, sharedChunks.spare(chunk), profile);
    const [part] = await allEnded([packed, rawHash.update(chunk)]);
    return part;
  };
  let size = 0;
  try {
    for await (const part of mapChunks(layer.open(onBytes), convert, signal)) {
      size += part.length;
      await packedHash?.update(part);
      yield part;
    }
    // It refuses an empty layer, so that there is a part at least.
    check.end();
    const diffId = await rawHash.digest();
    const digest = (await packedHash?.digest()) ?? diffId;
    if (expected !== undefined && diffId !== expected) throw changed(layer.what, diffId, expected);
    sealed.seal = { descriptor: { mediaType, digest, size }, diffId };
  } finally {
    if (sealed.seal === undefined) await Promise.all([rawHash.drop(), packedHash?.drop()]);
  }
}

/** Reads a layer to its end, to know its digest. */
export async function sealLayer(
  pending: PendingBlob,
  onBytes: (bytes: number) => void,
  signal: AbortSignal | undefined,
): Promise<Seal> {
  const stream = await pending.open(signal, onBytes);
  for await (const _part of stream.body) signal?.throwIfAborted();
  return stream.seal();
}

/** A sealed layer, made anew each time it is opened: the same bytes, as long as its source stays as it is. */
export function sealedBlob(pending: PendingBlob, size: number): BlobSource {
  return {
    size,
    async open(range, signal) {
      const stream = await pending.open(signal);
      return Readable.from(slice(stream.body, range?.start ?? 0, range?.end ?? size), { objectMode: false });
    },
  };
}

/** Copies, since the memory of a part is used again when the next one is asked for. */
async function* slice(parts: AsyncIterable<Uint8Array>, start: number, end: number): AsyncGenerator<Uint8Array> {
  let position = 0;
  for await (const part of parts) {
    const wanted = part.subarray(Math.max(0, start - position), Math.max(0, end - position));
    if (wanted.length > 0) yield Buffer.from(wanted);
    position += part.length;
  }
}

/**
 * Both identities of a layer that is compressed already, from one read. What it inflates to is hashed and forgotten, so
 * there is no limit on the ratio: a genuine layer of zeros shrinks 1030 times.
 */
export async function hashCompressedLayer(
  blob: BlobSource,
  compression: Compression,
  { what, check: createCheck }: Pick<RawLayer, "what" | "check">,
  onBytes: (bytes: number) => void,
  signal: AbortSignal | undefined,
): Promise<{ readonly digest: Digest; readonly diffId: Digest }> {
  const check = createCheck();
  const hash = createHash("sha256");
  const rawHash = createBlobHash("sha256", Number.POSITIVE_INFINITY);
  let bytes = 0;
  let isHashed = false;
  try {
    const source = await inflatable(blob, signal, part => {
      hash.update(part);
      bytes += part.length;
      onBytes(part.length);
    });
    for await (const part of decompress(source, compression, what, signal, Number.POSITIVE_INFINITY)) {
      check.take(part);
      await rawHash.update(part);
    }
    check.end();
    if (bytes !== blob.size) throw new InternalError(`Cannot hash ${what}: ${bytes} of ${blob.size} bytes were read`);
    const diffId = await rawHash.digest();
    isHashed = true;
    return { digest: `sha256:${hash.digest("hex")}`, diffId };
  } finally {
    if (!isHashed) await rawHash.drop();
  }
}

/** A compressed file as the source of a layer. @param onBytes hears compressed bytes. */
export function inflatedBlob(
  blob: BlobSource,
  compression: Compression,
  what: string,
  onBytes: (bytes: number) => void,
): BlobSource {
  return {
    size: blob.size,
    async open(_range, signal) {
      const source = await inflatable(blob, signal, part => onBytes(part.length));
      return Readable.from(decompress(source, compression, what, signal), { objectMode: false });
    },
  };
}

async function inflatable(
  blob: BlobSource,
  signal: AbortSignal | undefined,
  onPart: (part: Uint8Array) => void,
): Promise<Readable> {
  const stream = await blob.open(undefined, signal);
  const tapped = Readable.from(passing(stream, onPart), { objectMode: false });
  // A generator that was never started would leave it open.
  return tapped.once("close", () => stream.destroy());
}

async function* passing(stream: Readable, onPart: (part: Uint8Array) => void): AsyncGenerator<Uint8Array> {
  for await (const part of stream as AsyncIterable<Uint8Array>) {
    onPart(part);
    yield part;
  }
}

function changed(what: string, found: Digest, expected: Digest): IntegrityError {
  return new IntegrityError(`Cannot accept layer from ${what}: diff_id is ${found}, expected ${expected}`, {
    hint: "The file changed while it was read: import it again when nothing writes to it.",
  });
}
