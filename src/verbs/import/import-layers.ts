import type { BlobSource, ImageTarget, PendingBlob, Seal } from "../../content/contracts.ts";
import { isPending } from "../../content/draft-manifest.ts";
import { type BlobLabel, type OnProgress, underWay } from "../../content/progress.ts";
import { atEnd, countedPending } from "../../copy/copy-ends.ts";
import type { DigestCache } from "../../copy/digest-cache.ts";
import { InternalError, UsageError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { type LayerCompression, OCI_LAYER, toDockerLayerType, withLayerCompression } from "../../oci/media-types.ts";
import { hashLayer } from "../../transform/hash-layer.ts";
import { importedLayer, type LayerOutput } from "../../transform/imported-layer.ts";
import { reproducibleLayer, sealLayer } from "../../transform/reproducible-layer.ts";
import type { Pace } from "../../util/pace/pace.ts";
import type { ImportInput } from "./import-input.ts";
import type { ReadSettings } from "./import-settings.ts";
import type { ImportTarget } from "./import-target.ts";

/** What all steps of one import need. */
export interface ImportRun {
  readonly input: ImportInput;
  readonly target: ImportTarget;
  readonly settings: ReadSettings;
  readonly author: string | undefined;
  readonly message: string | undefined;
  readonly pace: Pace;
  readonly cache: DigestCache;
  readonly onProgress: OnProgress;
  readonly onNote: (message: string) => void;
  readonly signal: AbortSignal | undefined;
}

/** A layer with a known diff_id, from which the config follows. */
export interface KnownLayer<Layer = Descriptor | PendingBlob> {
  readonly diffId: Digest;
  readonly layer: Layer;
  /** If the digest is known, too. */
  readonly blob?: BlobSource;
}

/** Reads a tar once for its diff_id; the digest of one that will be compressed stays unknown. */
export async function hashInput(run: ImportRun): Promise<KnownLayer> {
  const { input, target, signal } = run;
  if (input.kind === "made") throw new InternalError(`Cannot hash ${input.what}: it is no layer yet, expected a tar`);
  const { what, blob, compression } = input;
  const mediaType = layerType(run, compression ?? "none");
  const onBytes = startProgress(run, blob.size);
  const how = { algorithm: "sha256", what, compression, check: input.check() } as const;
  const { digest, diffId = digest } = await atEnd("source", async () => await hashLayer(blob, how, signal, onBytes));
  if (compression === undefined && target.profile !== undefined)
    return { diffId, layer: importedLayer(input, outputOf(run), diffId) };
  return { diffId, layer: { mediaType, digest, size: blob.size }, blob };
}

/** Builds the whole layer once, for its digest and size. */
export async function sealInput(run: ImportRun): Promise<KnownLayer<Descriptor>> {
  const { input, target, signal } = run;
  if (input.kind === "compressed" || (input.kind === "plain" && target.profile === undefined)) {
    const known = await hashInput(run);
    if (isPending(known.layer)) throw new InternalError(`Cannot hash ${input.what}: its layer has no digest yet`);
    return { ...known, layer: known.layer };
  }
  const pending = importedLayer(input, outputOf(run));
  const onBytes = startProgress(run, pending.sourceBytes);
  const seal = await atEnd("source", async () => await sealLayer(await pending.open(signal, onBytes)));
  return knownLayer(pending, seal);
}

/** Builds the layer while it is sent. Its diff_id, which the config needs, is known after that. */
export async function sendLayer(run: ImportRun, target: ImageTarget): Promise<KnownLayer<Descriptor>> {
  const { input, cache, onProgress, signal } = run;
  if (input.kind !== "made") throw new InternalError(`Cannot send ${input.what}: it is a layer, expected to make one`);
  const output = outputOf(run);
  const pending = importedLayer(input, output);
  const { sourceBytes } = pending;
  const blob = labelOf(input);
  const onBytes = startProgress(run, sourceBytes, 1);
  const plan = { roots: [], blobs: [], pending: [pending], manifests: new Map(), totalBytes: sourceBytes };
  const send = async (): Promise<Seal> => {
    await using session = await target.begin(plan, signal);
    if (session.putPending === undefined) throw new InternalError(`Cannot send ${input.what}: no target for a stream`);
    return await session.putPending(countedPending(pending), signal, onBytes);
  };
  const started = { blob, bytes: sourceBytes, to: target.host };
  const seal = await underWay(onProgress, started, async () => await atEnd("target", send));
  const known = knownLayer(pending, seal);
  await cache.add(importedLayer(input, output, known.diffId).key, seal);
  onProgress(
    seal.presence === undefined
      ? { kind: "done", blob, bytes: known.layer.size }
      : { kind: "skipped", blob, bytes: 0, reason: seal.presence },
  );
  return known;
}

/** The layer's descriptor; undefined if it was not built. */
export function sealedLayer({ layer }: KnownLayer, cache: DigestCache): Descriptor | undefined {
  if (!isPending(layer)) return layer;
  const found = cache.find(layer.key);
  return found === undefined ? undefined : { mediaType: layer.mediaType, ...found };
}

function knownLayer(pending: PendingBlob, { descriptor, diffId }: Seal): KnownLayer<Descriptor> {
  if (diffId === undefined) throw new InternalError(`Cannot import ${pending.key}: its diff_id is not known`);
  const blob = reproducibleLayer(async signal => await pending.open(signal), descriptor.size);
  return { diffId, layer: descriptor, blob };
}

/** Reports at most `bytes`: the size of a folder's tar is an estimate, which is never too high. */
function startProgress({ onProgress, input }: ImportRun, bytes: number, blobs = 0): (delta: number) => void {
  const blob = labelOf(input);
  onProgress({ kind: "planned", blobs, bytes });
  let left = bytes;
  return read => {
    const delta = Math.min(left, read);
    left -= delta;
    onProgress({ kind: "bytes", blob, delta });
  };
}

function labelOf({ what }: ImportInput): BlobLabel {
  return `layer from ${what}`;
}

function outputOf(run: ImportRun): LayerOutput {
  const { profile } = run.target;
  return { mediaType: layerType(run, profile?.format ?? "none"), profile };
}

/** @throws UsageError for zstd in a Docker manifest, which has no media type for it. */
function layerType({ input, target }: ImportRun, compression: LayerCompression): string {
  const type = withLayerCompression(OCI_LAYER, compression) ?? OCI_LAYER;
  const wanted = target.isDocker ? toDockerLayerType(type) : type;
  if (wanted !== undefined) return wanted;
  throw new UsageError(
    `Cannot import ${input.what} with --format docker: it is a ${compression} layer, expected gzip`,
    { hint: "Leave out --format, or recompress the tar with gzip." },
  );
}
