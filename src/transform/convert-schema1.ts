import { Readable } from "node:stream";
import { detectCompression, MAGIC_BYTES } from "../compress/detect.ts";
import type { BlobSource, ImageSource, Root, SettledRoot } from "../content/contracts.ts";
import { blobsOf, derivedSource, rootsOf } from "../content/derived-source.ts";
import { hashedBlob } from "../content/hashed-blob.ts";
import { readBlob } from "../content/pump.ts";
import { verified } from "../content/verified.ts";
import { ArchiveError } from "../errors.ts";
import { buildDockerManifest } from "../oci/build-manifest.ts";
import { type Descriptor, describeBytes } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { MAX_CONFIG_BYTES, MAX_MANIFEST_BYTES } from "../oci/limits.ts";
import { DOCKER_CONFIG, DOCKER_LAYER, DOCKER_LAYER_GZIP, isSchema1Type } from "../oci/media-types.ts";
import { parseSchema1, type Schema1View } from "../oci/schema1/schema1.ts";
import { schema1Config } from "../oci/schema1/schema1-config.ts";
import { append } from "../util/append.ts";
import { formatBytes } from "../util/format.ts";
import { runBounded } from "../util/task-group.ts";
import { inflatedBlob } from "./inflated-blob.ts";
import { RECOMPRESS_CONCURRENCY } from "./recompress-layers.ts";

export interface ConvertSchema1Options {
  /** Is called with what is converted, and why its layers are read twice. */
  readonly onNote: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface Converted<R extends Root> {
  readonly source: ImageSource;
  /** In the order of the given ones. */
  readonly roots: readonly R[];
}

interface MeasuredLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

/**
 * Converts roots of schema 1 to Docker's schema 2; layers do not change, configs and manifests are made here and served
 * from memory. A config contains the diff_id of each layer, so every layer is read once before it is copied.
 *
 * @returns `source` itself if no root is of schema 1.
 * @throws ArchiveError for a manifest or layer that cannot be converted, IntegrityError for a layer that does not have its
 * digest.
 */
export async function convertSchema1<R extends Root>(
  source: ImageSource,
  roots: readonly R[],
  options: ConvertSchema1Options,
): Promise<Converted<R>> {
  if (!roots.some(isOfSchema1)) return { source, roots };
  const made = new Map<Digest, Uint8Array>();
  const measured = new Map<Digest, MeasuredLayer>();
  const converted: R[] = [];
  for (const root of roots) {
    const descriptor = isOfSchema1(root) ? await convertRoot(source, root, made, measured, options) : undefined;
    converted.push(descriptor === undefined ? root : { ...root, descriptor });
  }
  const blob = blobsOf(source, digest => made.get(digest));
  return { source: derivedSource(source, { roots: rootsOf(converted), blob }), roots: converted };
}

function isOfSchema1(root: Root): root is SettledRoot {
  return root.kind === "settled" && isSchema1Type(root.descriptor.mediaType);
}

async function convertRoot(
  source: ImageSource,
  root: SettledRoot,
  made: Map<Digest, Uint8Array>,
  measured: Map<Digest, MeasuredLayer>,
  { onNote, signal }: ConvertSchema1Options,
): Promise<Descriptor> {
  const where = root.names[0] ?? root.descriptor.digest;
  const manifest = verified(root.descriptor, await source.blob(root.descriptor, signal), where);
  const view = parseSchema1(await readBlob(manifest, MAX_MANIFEST_BYTES, signal), where);
  const layers = layersOf(view);
  await measure(source, new Set(layers.filter(layer => !measured.has(layer))), where, measured, { onNote, signal });
  const found = layers.flatMap(layer => measured.get(layer) ?? []);
  const diffIds = found.map(({ diffId }) => diffId);
  const config = schema1Config(view, diffIds, where);
  if (config.length > MAX_CONFIG_BYTES) {
    throw new ArchiveError(
      "json-too-large",
      `Cannot convert ${where}: config of ${formatBytes(config.length)}, expected at most ${formatBytes(MAX_CONFIG_BYTES)}`,
    );
  }
  const described = describeBytes(DOCKER_CONFIG, config);
  const { mediaType, bytes } = buildDockerManifest(
    described,
    found.map(({ descriptor }) => descriptor),
  );
  const descriptor = describeBytes(mediaType, bytes);
  made.set(described.digest, config).set(descriptor.digest, bytes);
  return descriptor;
}

function layersOf({ steps }: Schema1View): readonly Digest[] {
  return steps.flatMap(({ layer }) => layer ?? []);
}

async function measure(
  source: ImageSource,
  layers: ReadonlySet<Digest>,
  where: string,
  measured: Map<Digest, MeasuredLayer>,
  { onNote, signal }: ConvertSchema1Options,
): Promise<void> {
  const blobs: (readonly [Digest, BlobSource])[] = [];
  // The manifest contains no sizes: the source reports them.
  for (const digest of layers)
    blobs.push([digest, await source.blob({ mediaType: DOCKER_LAYER_GZIP, digest, size: 0 }, signal)]);
  const bytes = blobs.reduce((sum, [, { size }]) => sum + size, 0);
  const count = blobs.length === 1 ? "1 layer is" : `${blobs.length} layers are`;
  const reading = `: ${count} read twice (${formatBytes(bytes)}), because it does not contain their diff_ids`;
  onNote(`${where} is of schema 1, and becomes schema 2${blobs.length === 0 ? "" : reading}`);
  await runBounded(
    blobs,
    RECOMPRESS_CONCURRENCY,
    async ([digest, blob], stop) => void measured.set(digest, await measureLayer(digest, blob, stop)),
    signal,
  );
}

async function measureLayer(digest: Digest, blob: BlobSource, signal: AbortSignal): Promise<MeasuredLayer> {
  const what = `layer ${digest}`;
  const start: number[] = [];
  const layer = { mediaType: DOCKER_LAYER_GZIP, digest, size: blob.size };
  const seen = withStart(verified(layer, blob, what), start);
  const raw = hashedBlob(inflatedBlob(seen, { compression: "detect", what }));
  for await (const _part of (await raw.blob.open(undefined, signal)) as AsyncIterable<Uint8Array>);
  const compression = detectCompression(Uint8Array.from(start));
  if (compression !== undefined && compression !== "gzip") {
    throw new ArchiveError("schema1-layer", `Cannot convert ${what}: found ${compression}, expected gzip or a tar`);
  }
  const mediaType = compression === undefined ? DOCKER_LAYER : DOCKER_LAYER_GZIP;
  return { descriptor: { ...layer, mediaType }, diffId: await raw.digest() };
}

/** The same blob; its first bytes are copied to `start`. */
function withStart(blob: BlobSource, start: number[]): BlobSource {
  return {
    size: blob.size,
    async open(range, signal) {
      const stream = await blob.open(range, signal);
      async function* parts(): AsyncGenerator<Uint8Array> {
        for await (const part of stream as AsyncIterable<Uint8Array>) {
          if (start.length < MAGIC_BYTES) append(start, part.subarray(0, MAGIC_BYTES - start.length));
          yield part;
        }
      }
      // A generator that never started would not close it.
      return Readable.from(parts(), { objectMode: false }).once("close", () => stream.destroy());
    },
  };
}
