import { type GzipProfile, gzipProfile } from "../compress/gzip/gzip-profile.ts";
import { bytesBlob } from "../content/blob.ts";
import type { BlobSource, CopyPlan, ImageSource, Root } from "../content/contracts.ts";
import { isPending } from "../content/draft-manifest.ts";
import { InternalError } from "../errors.ts";
import { describeBytes } from "../oci/describe.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { type LayerCompression, withLayerCompression } from "../oci/media-types.ts";
import { runBounded } from "../util/bounded.ts";
import { formatBytes } from "../util/format.ts";
import { layerAgain, sealLayer } from "./reproducible-layer.ts";
import { type LayerToRecode, type LayerWish, layersToRecode } from "./layers-to-recompress.ts";
import { recodeLayer } from "./recompress-layer.ts";
import { rewriteImage, rewriteIndex } from "./rewrite-manifest.ts";

export interface RecodeOptions {
  /** Only layers that are compressed so; all that are not as wished without it. */
  readonly only?: ReadonlySet<LayerCompression> | undefined;
  readonly profile?: GzipProfile | undefined;
  /** Hears what is done, and why it takes a second reading. */
  readonly onNote: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Layers that may be made at once, to be measured or written: each inflates through a window of its own. */
export const RECODED_AT_ONCE = 3;

type RecodedLayer = Pick<Descriptor, "digest" | "size">;

/**
 * The planned images with their layers in another compression. Configs stay as they are, because diff_ids do not change;
 * manifests and indexes above a changed layer are rewritten, and their roots get new digests. An archive needs sizes
 * before its first byte, so each such layer is read twice: measured here, made again when it is asked for.
 *
 * @returns `source` itself when nothing is to be changed.
 * @throws IntegrityError for a layer that is not its diff_id.
 */
export async function recodeLayers(
  source: ImageSource,
  plan: CopyPlan,
  wish: LayerWish,
  options: RecodeOptions,
): Promise<ImageSource> {
  const jobs = await layersToRecode(source, plan, wish, options.only, options.signal);
  if (jobs.size === 0) return source;
  const bytes = [...jobs.values()].reduce((sum, { layer }) => sum + layer.size, 0);
  const count = jobs.size === 1 ? "1 layer is" : `${jobs.size} layers are`;
  options.onNote(
    `${count} made ${wish}: ${formatBytes(bytes)} are read twice, because an archive needs sizes before its first byte`,
  );
  const profile = wish === "raw" ? undefined : (options.profile ?? gzipProfile());
  const recoded = await measure(source, jobs, profile, options.signal);
  const rewritten = new Map<Digest, Uint8Array>();
  const changed = rewriteManifests(plan, recoded, wish, rewritten, options.onNote);
  const roots = plan.roots.map(root => rootNow(root, changed, recoded, wish));
  return recodedSource(source, plan, { roots, jobs, profile, recoded, rewritten });
}

async function measure(
  source: ImageSource,
  jobs: ReadonlyMap<Digest, LayerToRecode>,
  profile: GzipProfile | undefined,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<Digest, RecodedLayer>> {
  const recoded = new Map<Digest, RecodedLayer>();
  const one = async ({ layer, diffId }: LayerToRecode, blob: BlobSource, stop: AbortSignal): Promise<void> => {
    const { digest, size } = (await sealLayer(recodeLayer(layer, blob, diffId, profile, stop))).descriptor;
    recoded.set(layer.digest, { digest, size });
  };
  const { stream } = source;
  const held =
    stream === undefined ? [...jobs.values()] : [...jobs.values()].filter(job => stream.holds(job.layer.digest));
  await runBounded(
    held,
    RECODED_AT_ONCE,
    async (job, stop) => await one(job, await source.blob(job.layer, stop), stop),
    signal,
  );
  const passing = new Set([...jobs.keys()].filter(digest => !recoded.has(digest)));
  if (stream === undefined || passing.size === 0) return recoded;
  await stream.pass(
    passing,
    async (digest, blob, stop) => {
      const job = jobs.get(digest);
      if (job !== undefined) await one(job, blob, stop);
    },
    signal,
  );
  return recoded;
}

/** @returns new descriptors by the digest of what they replace. */
function rewriteManifests(
  plan: CopyPlan,
  recoded: ReadonlyMap<Digest, RecodedLayer>,
  wish: LayerWish,
  rewritten: Map<Digest, Uint8Array>,
  onNote: (message: string) => void,
): ReadonlyMap<Digest, Descriptor> {
  const changed = new Map<Digest, Descriptor>();
  // Children come before their parents.
  for (const { descriptor, bytes, view } of plan.manifests.values()) {
    const now =
      view.kind === "image" ? rewriteImage(bytes, view, recoded, wish) : rewriteIndex(bytes, view, changed, onNote);
    if (now === undefined) continue;
    const { digest, size } = describeBytes(descriptor.mediaType, now);
    rewritten.set(digest, now);
    changed.set(descriptor.digest, { ...descriptor, digest, size });
  }
  return changed;
}

interface Recoding {
  readonly roots: readonly Root[];
  readonly jobs: ReadonlyMap<Digest, LayerToRecode>;
  readonly profile: GzipProfile | undefined;
  readonly recoded: ReadonlyMap<Digest, RecodedLayer>;
  readonly rewritten: ReadonlyMap<Digest, Uint8Array>;
}

function recodedSource(
  source: ImageSource,
  plan: CopyPlan,
  { roots, jobs, profile, recoded, rewritten }: Recoding,
): ImageSource {
  const origins = new Map(
    [...jobs.values()].flatMap(job => {
      const now = recoded.get(job.layer.digest);
      return now === undefined ? [] : [[now.digest, { ...job, size: now.size }] as const];
    }),
  );
  const made = ({ layer, diffId, size }: LayerToRecode & { readonly size: number }, blob: BlobSource): BlobSource =>
    layerAgain(async signal => recodeLayer(layer, blob, diffId, profile, signal), size, blob.isOnce);
  const { stream } = source;
  return {
    async *roots() {
      yield* roots;
    },
    async blob(descriptor, signal) {
      const bytes = rewritten.get(descriptor.digest) ?? plan.manifests.get(descriptor.digest)?.bytes;
      if (bytes !== undefined) return bytesBlob(bytes);
      const origin = origins.get(descriptor.digest);
      return origin === undefined
        ? await source.blob(descriptor, signal)
        : made(origin, await source.blob(origin.layer, signal));
    },
    stream:
      stream === undefined
        ? undefined
        : {
            holds: digest => stream.holds(origins.get(digest)?.layer.digest ?? digest),
            async pass(wanted, take, signal) {
              const names = new Map([...wanted].map(digest => [origins.get(digest)?.layer.digest ?? digest, digest]));
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
          },
    confirm: async signal => await source.confirm?.(signal),
    [Symbol.asyncDispose]: async () => await source[Symbol.asyncDispose](),
  };
}

function rootNow(
  root: Root,
  changed: ReadonlyMap<Digest, Descriptor>,
  recoded: ReadonlyMap<Digest, RecodedLayer>,
  wish: LayerWish,
): Root {
  if (root.kind === "settled") return { ...root, descriptor: changed.get(root.descriptor.digest) ?? root.descriptor };
  const layers = root.draft.layers.map(layer => {
    if (isPending(layer)) throw new InternalError(`Cannot recode ${layer.key}: it is compressed on its way already`);
    const now = recoded.get(layer.digest);
    const mediaType = withLayerCompression(layer.mediaType, wish === "raw" ? "none" : "gzip");
    return now === undefined || mediaType === undefined ? layer : { mediaType, ...now };
  });
  return { ...root, draft: { ...root.draft, layers } };
}
