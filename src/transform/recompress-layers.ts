import { gzipProfile } from "../compress/gzip/gzip-profile.ts";
import type { LayerProfile } from "../compress/layer-profile.ts";
import { zstdProfile } from "../compress/zstd/zstd-profile.ts";
import { bytesBlob } from "../content/blob.ts";
import type { BlobSource, CopyPlan, ImageSource, Root, StreamedBlobs } from "../content/contracts.ts";
import { derivedSource, rootsOf } from "../content/derived-source.ts";
import { isPending } from "../content/draft-manifest.ts";
import { type OnProgress, stepTo } from "../content/progress.ts";
import { InternalError } from "../errors.ts";
import { type Descriptor, describeBytes } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { type LayerCompression, OCI_MANIFEST, withLayerCompression } from "../oci/media-types.ts";
import { formatBytes } from "../util/format.ts";
import { runBounded } from "../util/task-group.ts";
import {
  type LayerToRecompress,
  layersToRecompress,
  type TargetCompression,
  writtenCompression,
} from "./layers-to-recompress.ts";
import { recompressLayer } from "./recompress-layer.ts";
import { reproducibleLayer, sealLayer } from "./reproducible-layer.ts";
import { rewriteImage, rewriteIndex } from "./rewrite-manifest.ts";

export interface RecompressOptions {
  /** Only layers with these compressions (default: all with another one than the target). */
  readonly only?: ReadonlySet<LayerCompression> | undefined;
  readonly profile?: LayerProfile | undefined;
  /** Is called with what is done, and why layers are read twice. */
  readonly onNote: (message: string) => void;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Maximum number of layers recompressed at once: each inflates through a window of its own. */
export const RECOMPRESS_CONCURRENCY = 3;

type RecompressedLayer = Pick<Descriptor, "digest" | "size">;

interface MeasuredLayer extends LayerToRecompress {
  /** Bytes after recompression. */
  readonly size: number;
}

/**
 * The planned images with recompressed layers. Configs do not change, because diff_ids do not; manifests and indexes above
 * a recompressed layer are rewritten, and their roots get new digests. An archive needs sizes before its first byte, so
 * each such layer is read twice: measured here, recompressed again when it is read.
 *
 * @returns `source` itself if no layer changes.
 * @throws IntegrityError for a layer that does not have its diff_id.
 */
export async function recompressLayers(
  source: ImageSource,
  plan: CopyPlan,
  target: TargetCompression,
  options: RecompressOptions,
): Promise<ImageSource> {
  const layers = await layersToRecompress(source, plan, target, options.only, options.signal);
  if (layers.size === 0) return source;
  const bytes = [...layers.values()].reduce((sum, { layer }) => sum + layer.size, 0);
  const what = `${layers.size === 1 ? "1 layer" : `${layers.size} layers`} to ${target}`;
  options.onNote(
    `Recompressing ${what}: reading ${formatBytes(bytes)} twice, because an archive needs sizes before its first byte`,
  );
  const profile = target === "raw" ? undefined : (options.profile ?? profileOf(target));
  const recompressed = await measure(source, layers, profile, options);
  const rewritten = new Map<Digest, Uint8Array>();
  const changed = rewriteManifests(plan, recompressed, target, rewritten, options.onNote);
  const roots = plan.roots.map(root => recompressedRoot(root, changed, recompressed, target));
  return recompressedSource(source, plan, { roots, layers, profile, recompressed, rewritten });
}

function profileOf(target: "gzip" | "zstd"): LayerProfile {
  return target === "zstd" ? zstdProfile() : gzipProfile();
}

/** Digest and size after recompression, by the digest before. */
async function measure(
  source: ImageSource,
  layers: ReadonlyMap<Digest, LayerToRecompress>,
  profile: LayerProfile | undefined,
  { onProgress, signal }: RecompressOptions,
): Promise<ReadonlyMap<Digest, RecompressedLayer>> {
  const recompressed = new Map<Digest, RecompressedLayer>();
  const onLayer = stepTo(onProgress, "blobs", layers.size);
  const measureOne = async (
    { layer, diffId }: LayerToRecompress,
    blob: BlobSource,
    stop: AbortSignal,
  ): Promise<void> => {
    const { digest, size } = (await sealLayer(recompressLayer(layer, blob, diffId, profile, stop))).descriptor;
    recompressed.set(layer.digest, { digest, size });
    onLayer();
  };
  const { streamed } = source;
  const inMemory = [...layers.values()].filter(({ layer }) => streamed?.holds(layer.digest) ?? true);
  await runBounded(
    inMemory,
    RECOMPRESS_CONCURRENCY,
    async (one, stop) => await measureOne(one, await source.blob(one.layer, stop), stop),
    signal,
  );
  const left = new Set([...layers.keys()].filter(digest => !recompressed.has(digest)));
  if (streamed === undefined || left.size === 0) return recompressed;
  await streamed.read(
    left,
    async (digest, blob, stop) => {
      const one = layers.get(digest);
      if (one !== undefined) await measureOne(one, blob, stop);
    },
    signal,
  );
  return recompressed;
}

/** @returns new descriptors by the digest that they replace. */
function rewriteManifests(
  plan: CopyPlan,
  recompressed: ReadonlyMap<Digest, RecompressedLayer>,
  target: TargetCompression,
  rewritten: Map<Digest, Uint8Array>,
  onNote: (message: string) => void,
): ReadonlyMap<Digest, Descriptor> {
  const changed = new Map<Digest, Descriptor>();
  // Children come before their parents.
  for (const { descriptor, bytes, view } of plan.manifests.values()) {
    const now =
      view.kind === "image"
        ? rewriteImage(bytes, view, recompressed, target)
        : view.kind === "other"
          ? undefined
          : rewriteIndex(bytes, view, changed, onNote);
    if (now === undefined) continue;
    const { mediaType, digest, size } = describeBytes(now.mediaType, now.bytes);
    rewritten.set(digest, now.bytes);
    changed.set(descriptor.digest, { ...descriptor, mediaType, digest, size });
  }
  return changed;
}

interface RecompressedImages {
  readonly roots: readonly Root[];
  readonly layers: ReadonlyMap<Digest, LayerToRecompress>;
  readonly profile: LayerProfile | undefined;
  readonly recompressed: ReadonlyMap<Digest, RecompressedLayer>;
  readonly rewritten: ReadonlyMap<Digest, Uint8Array>;
}

function recompressedSource(
  source: ImageSource,
  plan: CopyPlan,
  { roots, layers, profile, recompressed, rewritten }: RecompressedImages,
): ImageSource {
  const origins = new Map(
    [...layers.values()].flatMap(one => {
      const now = recompressed.get(one.layer.digest);
      return now === undefined ? [] : [[now.digest, { ...one, size: now.size }] as const];
    }),
  );
  const recompress = ({ layer, diffId, size }: MeasuredLayer, blob: BlobSource): BlobSource =>
    reproducibleLayer(async signal => recompressLayer(layer, blob, diffId, profile, signal), size, blob.isOneShot);
  const { streamed } = source;
  return derivedSource(source, {
    roots: rootsOf(roots),
    async blob(descriptor, signal) {
      const bytes = rewritten.get(descriptor.digest) ?? plan.manifests.get(descriptor.digest)?.bytes;
      if (bytes !== undefined) return bytesBlob(bytes);
      const origin = origins.get(descriptor.digest);
      return origin === undefined
        ? await source.blob(descriptor, signal)
        : recompress(origin, await source.blob(origin.layer, signal));
    },
    streamed: streamed && recompressedBlobs(streamed, origins, recompress),
  });
}

function recompressedBlobs(
  streamed: StreamedBlobs,
  origins: ReadonlyMap<Digest, MeasuredLayer>,
  recompress: (origin: MeasuredLayer, blob: BlobSource) => BlobSource,
): StreamedBlobs {
  const originOf = (digest: Digest): Digest => origins.get(digest)?.layer.digest ?? digest;
  return {
    holds: digest => streamed.holds(originOf(digest)),
    async read(wanted, handle, signal) {
      const names = new Map([...wanted].map(digest => [originOf(digest), digest]));
      await streamed.read(
        new Set(names.keys()),
        async (digest, blob, stop) => {
          const name = names.get(digest) ?? digest;
          const origin = origins.get(name);
          await handle(name, origin === undefined ? blob : recompress(origin, blob), stop);
        },
        signal,
      );
    },
  };
}

function recompressedRoot(
  root: Root,
  changed: ReadonlyMap<Digest, Descriptor>,
  recompressed: ReadonlyMap<Digest, RecompressedLayer>,
  target: TargetCompression,
): Root {
  if (root.kind === "settled") return { ...root, descriptor: changed.get(root.descriptor.digest) ?? root.descriptor };
  const layers = root.draft.layers.map(layer => {
    if (isPending(layer)) throw new InternalError(`Cannot recompress ${layer.key}: it is compressed while it is sent`);
    const now = recompressed.get(layer.digest);
    const mediaType = withLayerCompression(layer.mediaType, writtenCompression(target));
    return now === undefined || mediaType === undefined ? layer : { mediaType, ...now };
  });
  const mediaType = target === "zstd" ? OCI_MANIFEST : root.draft.mediaType;
  return { ...root, draft: { ...root.draft, mediaType, layers } };
}
