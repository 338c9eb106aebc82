import type { ArchiveSource, ImageArchive } from "../../../archive/archive-source.ts";
import { LayerSpool } from "../../../archive/layer-spool.ts";
import { openArchive } from "../../../archive/open-archive.ts";
import type { BlobSource, ImageSource } from "../../../content/contracts.ts";
import { derivedSource } from "../../../content/derived-source.ts";
import { noteTo, type OnProgress, readingTo } from "../../../content/progress.ts";
import { openDigestCache } from "../../../copy/digest-cache.ts";
import { UsageError } from "../../../errors.ts";
import type { Descriptor } from "../../../oci/descriptor.ts";
import type { Digest } from "../../../oci/digest.ts";
import { parseV1Reference } from "../../../oci/legacy/v1-reference.ts";
import { hostPlatform, parsePlatform } from "../../../oci/platform.ts";
import { append } from "../../../util/append.ts";
import { quote } from "../../../util/format.ts";
import { blameChangedInput } from "../../../util/input-guard.ts";
import { ENGINE_INPUT } from "../../engines/engine-input.ts";
import { listOf } from "../../options/option-values.ts";
import type { PushedImage, PushOptions, PushResult } from "../../push/push-options.ts";
import { Attempts } from "../../shared/attempts.ts";
import { createBlobCounter } from "../../shared/blob-counts.ts";
import { StreamedInput } from "../../shared/streamed-input.ts";
import { type OutgoingImage, outgoingImage } from "./outgoing-image.ts";
import { refuseV1Collisions, type V1Destination, v1Destinations } from "./v1-destinations.ts";
import { V1PushRun } from "./v1-push-run.ts";
import { formatV1Target, parseV1Target, type V1Target } from "./v1-target.ts";

type Run = PushOptions & { readonly onProgress: OnProgress };

/**
 * `push` to v1 registries. Of an index, the platform of this machine is pushed, as docker would.
 *
 * @param options checked already.
 * @throws as `push`; UsageError for options that have no meaning there.
 */
export async function pushArchivesV1(archives: readonly string[], options: PushOptions): Promise<PushResult> {
  const started = performance.now();
  refuseOptions(options);
  const counter = createBlobCounter(options.onProgress ?? (() => undefined));
  const run: Run = { ...options, onProgress: counter.onProgress };
  const hosts = hostsOf(options);
  const pushes = new V1PushRun(options, { named: hosts, reached: hosts }, counter.onProgress);
  const images: PushedImage[] = [];
  const attempts = new Attempts(archives.length, options.signal);
  for (const path of archives)
    await attempts.run(path, async () => append(images, await pushArchive(path, run, pushes)));
  const { requests, bytesSent } = pushes;
  const seconds = (performance.now() - started) / 1000;
  const result: PushResult = { images, blobs: counter.counts(), uncheckedBlobs: 0, requests, bytesSent, seconds };
  const hint = "The other archives are pushed. Fix the cause and push the failed ones again.";
  return attempts.settle("push", "archives", result, hint);
}

function hostsOf({ to, tag }: PushOptions): readonly string[] {
  const { store } = parseV1Reference([...listOf(tag), to ?? ""][0] ?? "");
  const tags = listOf(tag).map(text => parseV1Target("push to", text).host);
  return tags.length > 0 || store.kind === "folder" ? tags : [store.host];
}

function refuseOptions({ compression = "auto", sparse, to, tag, requireSignature }: PushOptions): void {
  if (requireSignature !== undefined) {
    throw new UsageError("Cannot use --require-signature with a v1 registry: not supported, expected it left out", {
      hint: "Check the archive first, with imgpack verify FILE --key PUB.pem.",
    });
  }
  const given =
    compression !== "auto" && compression !== "keep" ? "--compression" : sparse === undefined ? "" : "--sparse";
  const where = [to ?? tag ?? ""].flat()[0] ?? "";
  if (given === "") return;
  throw new UsageError(
    `Cannot use ${given} with ${quote(where)}: a v1 registry gets one image, with plain tars as layers, expected it left out`,
  );
}

async function pushArchive(path: string, run: Run, pushes: V1PushRun): Promise<readonly PushedImage[]> {
  const { signal, onProgress, stdin, dryRun = false } = run;
  const cache = await openDigestCache(undefined, noteTo(onProgress));
  const common = { openTarget: undefined, isShared: true, profile: undefined, cache, isDryRun: dryRun, onProgress };
  await using reading = new StreamedInput({ ...common, reason: "because v1 registries get layers in another order" });
  const notes = { onNote: noteTo(onProgress), onRead: readingTo(onProgress, path) };
  await using archive = await openArchive(path, { ...notes, signal, stdin, scan: reading.scan, ...ENGINE_INPUT });
  const { what } = archive;
  refusePart(archive);
  const destinations = v1Destinations(archive.images, run, what);
  refuseV1Collisions(destinations);
  const source = reading.sourceOf(archive);
  let spool: LayerSpool | undefined;
  const kept = derivedSource(source, {
    blob: async (descriptor, own) => spool?.find(descriptor.digest) ?? (await source.blob(descriptor, own)),
  });
  const repositories = await byRepository(destinations, archive, kept, run);
  const names = destinations.flatMap(({ targets }) => targets.map(formatV1Target));
  if (dryRun) return names.map(reference => ({ reference }));
  try {
    return await blameChangedInput(
      async () => await archive.confirm(signal),
      async () => {
        const layers = repositories.flatMap(({ images }) => images.flatMap(image => image.layers));
        spool = await spooled(what, source, layers, onProgress, signal);
        for (const { target, images } of repositories) await pushes.push(target.host, target.repository, images);
        return names.map(reference => ({ reference }));
      },
    );
  } finally {
    await spool?.[Symbol.asyncDispose]();
  }
}

/** @throws UsageError for a file that needs others. */
function refusePart({ part, what, absent }: ArchiveSource): void {
  if (part === undefined || (part.kind === "locked" && part.lock.set === undefined && absent.length === 0)) return;
  throw new UsageError(`Cannot push ${what} to a v1 registry: it is a part of a bundle, expected a whole archive`, {
    hint: "Join the files first: imgpack convert FILE... OUT.tar.",
  });
}

interface RepositoryPush {
  readonly target: V1Target;
  readonly images: readonly OutgoingImage[];
}

async function byRepository(
  destinations: readonly V1Destination[],
  archive: ImageArchive,
  source: ImageSource,
  { platform, signal }: Run,
): Promise<readonly RepositoryPush[]> {
  const from = {
    source,
    originalChain: archive.legacyChain,
    platform: platform === undefined ? hostPlatform() : parsePlatform(platform),
    isPlatformDefault: platform === undefined,
    sizes: new Map(),
  };
  const found = new Map<string, { target: V1Target; images: OutgoingImage[] }>();
  for (const { root, targets } of destinations) {
    const tags = new Map<string, { target: V1Target; tags: string[] }>();
    for (const { tag, ...target } of targets) {
      const known = tags.get(formatV1Target(target)) ?? { target, tags: [] };
      tags.set(formatV1Target(target), { target, tags: [...known.tags, tag] });
    }
    for (const [key, { target, tags: own }] of tags) {
      const what = `${root.names[0] ?? "the image"} from ${archive.what}`;
      const image = await outgoingImage(root, own, what, from, signal);
      const known = found.get(key) ?? { target, images: [] };
      known.images.push(image);
      found.set(key, known);
    }
  }
  return [...found.values()];
}

/** Layers of a compressed archive, which has them in another order: kept in a temporary file, in one reading. */
async function spooled(
  what: string,
  { streamed }: ImageSource,
  layers: readonly Descriptor[],
  onProgress: OnProgress,
  signal: AbortSignal | undefined,
): Promise<LayerSpool | undefined> {
  if (streamed === undefined) return undefined;
  const wanted = new Map(
    layers.flatMap(layer => (streamed.holds(layer.digest) ? [] : [[layer.digest, layer] as const])),
  );
  const spool = await LayerSpool.create();
  noteTo(onProgress)(`Keeping the layers of ${what} in a temporary file in ${spool.folder}`);
  try {
    const keep = async (digest: Digest, blob: BlobSource, own: AbortSignal): Promise<void> => {
      const layer = wanted.get(digest);
      if (layer !== undefined) await spool.put(layer, blob, own);
    };
    await streamed.read(new Set(wanted.keys()), keep, signal);
    return spool;
  } catch (error) {
    await spool[Symbol.asyncDispose]();
    throw error;
  }
}
