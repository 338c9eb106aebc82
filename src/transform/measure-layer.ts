import { createHash } from "node:crypto";
import { PassThrough, Readable } from "node:stream";
import { RATIO_LIMIT } from "../compress/compressed-data.ts";
import { decompress } from "../compress/decompress.ts";
import { type Compression, detectCompression, MAGIC_BYTES } from "../compress/detect.ts";
import type { LayerProfile } from "../compress/layer-profile.ts";
import type { PendingStream, Seal } from "../content/contracts.ts";
import { sealedStream } from "../content/hashed-blob.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { DOCKER_LAYER, type LayerCompression, withLayerCompression } from "../oci/media-types.ts";
import { packLayer, type RawCheck } from "./pack-layer.ts";

/** Chooses how a layer is compressed again; undefined leaves it as it is. */
export type Repacking = (stored: LayerCompression) => LayerProfile | undefined;

export interface MeasureLayerOptions {
  /** As messages name the layer. */
  readonly what: string;
  /** Of the stored bytes. */
  readonly check: RawCheck;
  /** Of a layer that is stored without compression. */
  readonly rawCheck?: RawCheck | undefined;
  readonly repack: Repacking;
  /** Is called before the end of the stream with the layer as it is stored. */
  readonly onStored: (stored: Descriptor) => void;
  readonly signal?: AbortSignal | undefined;
  /** Is called with the number of stored bytes that were read. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/**
 * One reading of a layer of which nothing is known: gives its digest and diff_id, and its bytes as stored or in another
 * compression. The compression is detected by the first bytes.
 *
 * @param stored parts that are valid until the next one is requested.
 * @throws ArchiveError "truncated-…", "damaged-…" or "inflation-ratio" for a compressed layer (security case Z-01).
 */
export async function measureLayer(
  stored: AsyncGenerator<Uint8Array, void>,
  options: MeasureLayerOptions,
): Promise<PendingStream> {
  const { what, repack, signal } = options;
  const { compression, parts } = await withCompression(stored);
  const type = layerType(compression ?? "none");
  const profile = repack(compression ?? "none");
  if (profile === undefined) return sealedStream(what, keptParts(parts, type, compression, options));
  const counts = new StoredCounts(type, checksOf(compression, options), options);
  const blob = {
    size: 0,
    isOneShot: true,
    open: async () => Readable.from(copies(parts, counts), { objectMode: false }),
  };
  const mediaType = layerType(profile.format);
  const packed = packLayer(blob, { what, mediaType, profile, compression, ratioLimit: RATIO_LIMIT, signal });
  async function* checked(): AsyncGenerator<Uint8Array, Seal> {
    yield* packed.body;
    counts.end();
    return packed.seal();
  }
  return sealedStream(what, checked());
}

/** Looks at the first bytes; `parts` begins with them. */
async function withCompression(stored: AsyncGenerator<Uint8Array, void>): Promise<{
  readonly compression: Compression | undefined;
  readonly parts: AsyncGenerator<Uint8Array, void>;
}> {
  let start: Uint8Array = new Uint8Array(0);
  let isEnded = false;
  try {
    while (start.length < MAGIC_BYTES && !isEnded) {
      const next = await stored.next();
      isEnded = next.done === true;
      if (next.done !== true) start = start.length === 0 ? next.value : Buffer.concat([start, next.value]);
      // The next request would overwrite it.
      if (start.length < MAGIC_BYTES) start = Uint8Array.from(start);
    }
  } catch (error) {
    await stored.return();
    throw error;
  }
  async function* parts(): AsyncGenerator<Uint8Array, void> {
    try {
      if (start.length > 0) yield start;
      yield* stored;
    } finally {
      await stored.return();
    }
  }
  return { compression: detectCompression(start), parts: parts() };
}

function checksOf(compression: Compression | undefined, { check, rawCheck }: MeasureLayerOptions): readonly RawCheck[] {
  return compression === undefined && rawCheck !== undefined ? [check, rawCheck] : [check];
}

/** Digest, size and checksum of the bytes as they are stored. */
class StoredCounts {
  readonly #hash = createHash("sha256");
  readonly #mediaType: string;
  readonly #checks: readonly RawCheck[];
  readonly #options: MeasureLayerOptions;
  #size = 0;

  constructor(mediaType: string, checks: readonly RawCheck[], options: MeasureLayerOptions) {
    this.#mediaType = mediaType;
    this.#checks = checks;
    this.#options = options;
  }

  take(part: Uint8Array): void {
    this.#size += part.length;
    this.#hash.update(part);
    for (const check of this.#checks) check.take(part);
    this.#options.onBytes?.(part.length);
  }

  end(): Descriptor {
    for (const check of this.#checks) check.end();
    const digest: Digest = `sha256:${this.#hash.digest("hex")}`;
    const stored = { mediaType: this.#mediaType, digest, size: this.#size };
    this.#options.onStored(stored);
    return stored;
  }
}

async function* copies(parts: AsyncGenerator<Uint8Array, void>, counts: StoredCounts): AsyncGenerator<Uint8Array> {
  for await (const part of parts) {
    counts.take(part);
    yield Buffer.from(part);
  }
}

async function* keptParts(
  parts: AsyncGenerator<Uint8Array, void>,
  mediaType: string,
  compression: Compression | undefined,
  options: MeasureLayerOptions,
): AsyncGenerator<Uint8Array, Seal> {
  const counts = new StoredCounts(mediaType, checksOf(compression, options), options);
  const aside = compression === undefined ? undefined : new Inflating(compression, options.what, options.signal);
  try {
    for await (const part of parts) {
      options.signal?.throwIfAborted();
      counts.take(part);
      await aside?.take(part);
      yield part;
    }
    const diffId = await aside?.end();
    const descriptor = counts.end();
    return { descriptor, diffId: diffId ?? descriptor.digest };
  } finally {
    aside?.stop();
  }
}

/** The diff_id of compressed bytes, which go elsewhere too. */
class Inflating {
  readonly #input = new PassThrough();
  readonly #digest: Promise<Digest>;

  constructor(compression: Compression, what: string, signal: AbortSignal | undefined) {
    this.#digest = digestOfParts(decompress(this.#input, compression, what, signal, RATIO_LIMIT));
    // Writing then ends as well; an error is reported by the next call.
    const stop = (): void => this.stop();
    this.#digest.then(stop, stop);
  }

  /** Waits until there is room. @throws ArchiveError as soon as the bytes are found to be damaged. */
  async take(part: Uint8Array): Promise<void> {
    if (!this.#input.destroyed && !this.#input.write(Buffer.from(part))) await drainedOrClosed(this.#input);
    if (this.#input.destroyed) await this.#digest;
  }

  async end(): Promise<Digest> {
    this.#input.end();
    return await this.#digest;
  }

  stop(): void {
    this.#input.destroy();
  }
}

/** Leaves no listener: a layer has a great many parts. */
async function drainedOrClosed(stream: PassThrough): Promise<void> {
  await new Promise<void>(resolve => {
    const done = (): void => {
      stream.off("drain", done).off("close", done);
      resolve();
    };
    stream.on("drain", done).on("close", done);
  });
}

async function digestOfParts(parts: AsyncIterable<Uint8Array>): Promise<Digest> {
  const hash = createHash("sha256");
  for await (const part of parts) hash.update(part);
  return `sha256:${hash.digest("hex")}`;
}

function layerType(compression: LayerCompression): string {
  return withLayerCompression(DOCKER_LAYER, compression) ?? DOCKER_LAYER;
}
