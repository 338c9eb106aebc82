import { Readable } from "node:stream";
import { bytesBlob } from "../../../content/blob.ts";
import type { BlobSource, ImageSource, SettledRoot } from "../../../content/contracts.ts";
import { draftManifest } from "../../../content/draft-manifest.ts";
import { verified } from "../../../content/verified.ts";
import { ArchiveError, InternalError } from "../../../errors.ts";
import { describeBytes } from "../../../oci/descriptor.ts";
import type { Digest } from "../../../oci/digest.ts";
import { legacyConfig } from "../../../oci/legacy/legacy-config.ts";
import { MAX_CONFIG_BYTES } from "../../../oci/limits.ts";
import {
  DOCKER_CONFIG,
  DOCKER_MANIFEST,
  layerCompression,
  OCI_MANIFEST,
  toDockerLayerType,
} from "../../../oci/media-types.ts";
import { v1ImageName } from "../../../registry/v1/read-v1-image.ts";
import type { V1Image } from "../../../registry/v1/v1-image.ts";
import type { V1Session } from "../../../registry/v1/v1-store.ts";
import type { Repacking } from "../../../transform/measure-layer.ts";
import { packLayer } from "../../../transform/pack-layer.ts";
import { reproducibleLayer } from "../../../transform/reproducible-layer.ts";
import { formatBytes } from "../../../util/format.ts";
import type { MeasuredFacts } from "./measured-layer.ts";

export interface V1SourceImage {
  readonly image: V1Image;
  readonly session: V1Session;
  /** That the image gets elsewhere. */
  readonly names: readonly string[];
}

export interface V1ImageSourceOptions {
  /** As the layers were measured with: makes a layer again whose compression was changed. */
  readonly repack?: Repacking | undefined;
  /** Default: Docker's manifest, or OCI's for an image with a layer that Docker's has no type for. */
  readonly manifestType?: string | undefined;
}

interface KnownLayer {
  readonly facts: MeasuredFacts;
  readonly session: V1Session;
  readonly id: string;
}

/**
 * v1 images of which all is known: their manifests and configs are made here and served from memory. Layers are read from
 * their store again, and checked by digest.
 *
 * @param facts by the key of a chain layer.
 */
export function v1ImageSource(
  images: readonly V1SourceImage[],
  facts: ReadonlyMap<string, MeasuredFacts>,
  { repack = () => undefined, manifestType }: V1ImageSourceOptions = {},
): ImageSource {
  const made = new Map<Digest, Uint8Array>();
  const layers = new Map<Digest, KnownLayer>();
  const roots = images.map((image): SettledRoot => {
    const found = layersOf(image, facts);
    for (const layer of found) layers.set(layer.facts.delivered.digest, layer);
    const where = v1ImageName(image.session, image.image.tag);
    const delivered = found.map(layer => layer.facts.delivered);
    const bytes = configOf(image.image, found, where);
    const config = describeBytes(DOCKER_CONFIG, bytes);
    const isDocker = delivered.every(({ mediaType }) => toDockerLayerType(mediaType) !== undefined);
    const mediaType = manifestType ?? (isDocker ? DOCKER_MANIFEST : OCI_MANIFEST);
    const manifest = draftManifest({ mediaType, config, layers: delivered }, new Map());
    const descriptor = describeBytes(manifest.mediaType, manifest.bytes);
    made.set(config.digest, bytes).set(descriptor.digest, manifest.bytes);
    return { kind: "settled", names: image.names, descriptor };
  });
  return {
    async *roots() {
      yield* roots;
    },
    async blob({ digest }) {
      const bytes = made.get(digest);
      if (bytes !== undefined) return bytesBlob(bytes);
      const layer = layers.get(digest);
      if (layer !== undefined) return layerBlob(layer, repack);
      throw new ArchiveError("missing-blob", `Cannot read blob ${digest}: no image has it, expected a layer of one`);
    },
    async [Symbol.asyncDispose]() {},
  };
}

function layersOf({ image, session }: V1SourceImage, facts: ReadonlyMap<string, MeasuredFacts>): readonly KnownLayer[] {
  return image.chain.map(({ key, json }) => {
    const found = facts.get(key);
    if (found !== undefined) return { facts: found, session, id: json.id };
    throw new InternalError(`Cannot describe layer ${json.id} of ${session.store.name}: it was not measured`);
  });
}

function configOf({ chain }: V1Image, layers: readonly KnownLayer[], where: string): Uint8Array {
  const config = legacyConfig(
    chain.map(({ layer }) => layer),
    layers.map(({ facts }) => facts.diffId),
    { where },
  );
  if (config.length <= MAX_CONFIG_BYTES) return config;
  const limit = formatBytes(MAX_CONFIG_BYTES);
  throw new ArchiveError(
    "json-too-large",
    `Cannot make config of ${where}: it would have ${formatBytes(config.length)}, expected at most ${limit}`,
  );
}

function layerBlob({ facts, session, id }: KnownLayer, repack: Repacking): BlobSource {
  const what = `layer ${id} of ${session.store.name}`;
  const stored = verified(facts.stored, storedBlob(session, id, facts.stored.size), what);
  if (facts.delivered.digest === facts.stored.digest) return stored;
  const compression = layerCompression(facts.stored.mediaType) ?? "none";
  const { mediaType, size } = facts.delivered;
  const profile = repack(compression);
  const packed = reproducibleLayer(
    async signal =>
      packLayer(stored, {
        what,
        mediaType,
        profile,
        diffId: facts.diffId,
        ...(compression === "none" ? {} : { compression }),
        signal,
      }),
    size,
  );
  return verified(facts.delivered, packed, what);
}

function storedBlob(session: V1Session, id: string, size: number): BlobSource {
  const { host } = session.store;
  return {
    size,
    isRemote: true,
    ...(host === undefined ? {} : { host }),
    async open(range, signal) {
      const layer = await session.layer(id, signal);
      const parts = layer.read(range?.start ?? 0, signal);
      return Readable.from(copies(parts, range === undefined ? undefined : range.end - range.start), {
        objectMode: false,
      });
    },
  };
}

/** Copies, because a part is valid only until the next one is requested. */
async function* copies(
  parts: AsyncGenerator<Uint8Array, void>,
  size: number = Number.POSITIVE_INFINITY,
): AsyncGenerator<Uint8Array> {
  let left = size;
  for await (const part of parts) {
    yield Buffer.from(part.subarray(0, left));
    left -= part.length;
    if (left <= 0) return;
  }
}
