import { type GzipProfile, gzipProfile } from "../compress/gzip/gzip-profile.ts";
import { bytesBlob } from "../content/blob.ts";
import type { BlobSource, BlobStream, CopyPlan, ImageSource, Root } from "../content/contracts.ts";
import { derivedSource, rootsOf } from "../content/derived-source.ts";
import { isPending } from "../content/draft-manifest.ts";
import { InternalError } from "../errors.ts";
import { type Descriptor, describeBytes } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { type LayerCompression, withLayerCompression } from "../oci/media-types.ts";
import { formatBytes } from "../util/format.ts";
import { runBounded } from "../util/task-group.ts";
import { type LayerToRecompress, layersToRecompress, type TargetCompression } from "./layers-to-recompress.ts";
import { recompressLayer } from "./recompress-layer.ts";
import { reproducibleLayer, sealLayer } from "./reproducible-layer.ts";
import { rewriteImage, rewriteIndex } from "./rewrite-manifest.ts";

export interface RecompressOptions {
  /** Only layers that are compressed so; all that are not as wished without it. */
  readonly only?: ReadonlySet<LayerCompression> | undefined;
  readonly profile?: GzipProfile | undefined;
  /** Hears what is done, and why it takes a second reading. */
  readonly onNote: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Layers that may be made at once, to be measured or written: each inflates through a window of its own. */
export const RECOMPRESS_CONCURRENCY = 3;

type RecompressedLayer = Pick<Descriptor, "digest" | "size">;

interface MeasuredLayer extends LayerToRecompress {
  /** Bytes after recompression. */
  readonly size: number;
}

/**
 * The planned images with their layers in another compression. Configs stay as they are, because diff_ids do not change;
 * manifests and indexes above a changed layer are rewritten, and their roots get new digests. An archive needs sizes
 * before its first byte, so each such layer is read twice: measured here, made again when it is asked for.
 *
 * @returns `source` itself when nothing is to be changed.
 * @throws IntegrityError for a layer that is not its diff_id.
 */
export async function recompressLayers(
  source: ImageSource,
  plan: CopyPlan,
  wish: TargetCompression,
  options: RecompressOptions,
): Promise<ImageSource> {
  const jobs = await layersToRecompress(source, plan, wish, options.only, options.signal);
  if (jobs.size === 0) return source;
  const bytes = [...jobs.values()].reduce((sum, { layer }) => sum + layer.size, 0);
  const count = jobs.size === 1 ? "1 layer is" : `${jobs.size} layers are`;
  options.onNote(
    `${count} made ${wish}: ${formatBytes(bytes)} are read twice, because an archive needs sizes before its first byte`,
  );
  const profile = wish === "raw" ? undefined : (options.profile ?? gzipProfile());
  const recompressed = await measure(source, jobs, profile, options.signal);
  const rewritten = new Map<Digest, Uint8Array>();
  const changed = rewriteManifests(plan, recompressed, wish, rewritten, options.onNote);
  const roots = plan.roots.map(root => rootNow(root, changed, recompressed, wish));
  return recompressedSource(source, plan, { roots, jobs, profile, recompressed, rewritten });
}

async function measure(
  source: ImageSource,
  jobs: ReadonlyMap<Digest, LayerToRecompress>,
  profile: GzipProfile | undefined,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<Digest, RecompressedLayer>> {
  const recompressed = new Map<Digest, RecompressedLayer>();
  const one = async ({ layer, diffId }: LayerToRecompress, blob: BlobSource, stop: AbortSignal): Promise<void> => {
    const { digest, size } = (await sealLayer(recompressLayer(layer, blob, diffId, profile, stop))).descriptor;
    recompressed.set(layer.digest, { digest, size });
  };
  const { stream } = source;
  const held =
    stream === undefined ? [...jobs.values()] : [...jobs.values()].filter(job => stream.holds(job.layer.digest));
  await runBounded(
    held,
    RECOMPRESS_CONCURRENCY,
    async (job, stop) => await one(job, await source.blob(job.layer, stop), stop),
    signal,
  );
  const passing = new Set([...jobs.keys()].filter(digest => !recompressed.has(digest)));
  if (stream === undefined || passing.size === 0) return recompressed;
  await stream.pass(
    passing,
    async (digest, blob, stop) => {
      const job = jobs.get(digest);
      if (job !== undefined) await one(job, blob, stop);
    },
    signal,
  );
  return recompressed;
}

/** @returns new descriptors by the digest of what they replace. */
function rewriteManifests(
  plan: CopyPlan,
  recompressed: ReadonlyMap<Digest, RecompressedLayer>,
  wish: TargetCompression,
  rewritten: Map<Digest, Uint8Array>,
  onNote: (message: string) => void,
): ReadonlyMap<Digest, Descriptor> {
  const changed = new Map<Digest, Descriptor>();
  // Children come before their parents.
  for (const { descriptor, bytes, view } of plan.manifests.values()) {
    const now =
      view.kind === "image"
        ? rewriteImage(bytes, view, recompressed, wish)
        : rewriteIndex(bytes, view, changed, onNote);
    if (now === undefined) continue;
    const { digest, size } = describeBytes(descriptor.mediaType, now);
    rewritten.set(digest, now);
    changed.set(descriptor.digest, { ...descriptor, digest, size });
  }
  return changed;
}

interface Recoding {
  readonly roots: readonly Root[];
  readonly jobs: ReadonlyMap<Digest, LayerToRecompress>;
  readonly profile: GzipProfile | undefined;
  readonly recompressed: ReadonlyMap<Digest, RecompressedLayer>;
  readonly rewritten: ReadonlyMap<Digest, Uint8Array>;
}

function recompressedSource(
  source: ImageSource,
  plan: CopyPlan,
  { roots, jobs, profile, recompressed, rewritten }: Recoding,
): ImageSource {
  const origins = new Map(
    [...jobs.values()].flatMap(job => {
      const now = recompressed.get(job.layer.digest);
      return now === undefined ? [] : [[now.digest, { ...job, size: now.size }] as const];
    }),
  );
  const made = ({ layer, diffId, size }: MeasuredLayer, blob: BlobSource): BlobSource =>
    reproducibleLayer(async signal => recompressLayer(layer, blob, diffId, profile, signal), size, blob.isOneShot);
  const { stream } = source;
  return derivedSource(source, {
    roots: rootsOf(roots),
    async blob(descriptor, signal) {
      const bytes = rewritten.get(descriptor.digest) ?? plan.manifests.get(descriptor.digest)?.bytes;
      if (bytes !== undefined) return bytesBlob(bytes);
      const origin = origins.get(descriptor.digest);
      return origin === undefined
        ? await source.blob(descriptor, signal)
        : made(origin, await source.blob(origin.layer, signal));
    },
    stream: stream && recompressedStream(stream, origins, made),
  });
}

function recompressedStream(
  stream: BlobStream,
  origins: ReadonlyMap<Digest, MeasuredLayer>,
  made: (origin: MeasuredLayer, blob: BlobSource) => BlobSource,
): BlobStream {
  const originOf = (digest: Digest): Digest => origins.get(digest)?.layer.digest ?? digest;
  return {
    holds: digest => stream.holds(originOf(digest)),
    async pass(wanted, take, signal) {
      const names = new Map([...wanted].map(digest => [originOf(digest), digest]));
      await stream.pass(
        new Set(names.keys()),
        async (digest, blob, stop) => {
          const name = names.get(digest) ?? digest;
          const origin = origins.get(name);
          await take(name, origin === undefined ? blob : made(origin, blob), stop);
        },
        signal,
      );
    },
  };
}

function rootNow(
  root: Root,
  changed: ReadonlyMap<Digest, Descriptor>,
  recompressed: ReadonlyMap<Digest, RecompressedLayer>,
  wish: TargetCompression,
): Root {
  if (root.kind === "settled") return { ...root, descriptor: changed.get(root.descriptor.digest) ?? root.descriptor };
  const layers = root.draft.layers.map(layer => {
    if (isPending(layer))
      throw new InternalError(`Cannot recompress ${layer.key}: it is compressed on its way already`);
    const now = recompressed.get(layer.digest);
    const mediaType = withLayerCompression(layer.mediaType, wish === "raw" ? "none" : "gzip");
    return now === undefined || mediaType === undefined ? layer : { mediaType, ...now };
  });
  return { ...root, draft: { ...root.draft, layers } };
}
