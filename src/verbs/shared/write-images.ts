import { dockerImage } from "../../archive/write/build-metadata.ts";
import { bytesBlob } from "../../content/blob.ts";
import type { CopyPlan, ImageSource, Root } from "../../content/contracts.ts";
import type { OnProgress } from "../../content/progress.ts";
import { copyImages } from "../../copy/copy-image.ts";
import { openDigestCache } from "../../copy/digest-cache.ts";
import { gather } from "../../copy/gather.ts";
import { selectPlatforms } from "../../copy/select-platforms.ts";
import { UsageError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { type LayerCompression, OCI_MANIFEST } from "../../oci/media-types.ts";
import { hostPlatform, type Platform, parsePlatform } from "../../oci/platform.ts";
import { convertSchema1 } from "../../transform/convert-schema1.ts";
import { isRecompressed, type TargetCompression } from "../../transform/layers-to-recompress.ts";
import { RECOMPRESS_CONCURRENCY, recompressLayers } from "../../transform/recompress-layers.ts";
import { settleDrafts } from "../../transform/settle-drafts.ts";
import { quote } from "../../util/format.ts";
import { checkLoads, type LoaderProfile, loaderProfile } from "./loader-profile.ts";
import type { OutputPlace } from "./output-place.ts";

export interface OutputOptions {
  /** "keep", "gzip" or "raw"; without it what `loader` needs, and else "keep". */
  readonly layers?: string | undefined;
  /** docker20, docker, podman, ctr or k3s: adapts what that loader cannot take. */
  readonly loader?: string | undefined;
  /** Blobs under way at once; 6 without it. */
  readonly concurrency?: number | undefined;
  /** Plans, and writes nothing. */
  readonly dryRun?: boolean | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface WrittenImage {
  /** Full names in the archive; none for an image without one. */
  readonly names: readonly string[];
  /** Of the manifest or index. */
  readonly digest: Digest;
  readonly mediaType: string;
  /** The digest in the source, where writing changed it: layers recompressed, absent platforms left out, schema 1 converted. */
  readonly previousDigest?: Digest;
}

export interface Written {
  readonly images: readonly WrittenImage[];
  readonly plan: CopyPlan;
}

interface Writing extends OutputOptions {
  /** What cannot be done, in errors. */
  readonly verb: "pull" | "convert";
  /** What the user asked for, where a run that breaks off is to be gone on with. */
  readonly command?: string | undefined;
  /** Begins afresh where such a run left something. */
  readonly restart?: boolean | undefined;
  readonly place: OutputPlace;
  /** Names the source in messages. */
  readonly sourceName: string;
  readonly platforms: readonly Platform[] | "all";
  /** The roots as the archive has them, where `source` changed them already; in the same order. */
  readonly originals?: readonly Root[] | undefined;
  /** Hears of manifests that the source does not hold; without it they are an error. */
  readonly onAbsent?: ((descriptor: Descriptor) => void) | undefined;
}

const CONCURRENCY = 6;

/** No loader but Docker's classic store unpacks these: they are never written. */
const NEVER_WRITTEN: readonly LayerCompression[] = ["xz", "bzip2"];

interface LayerChange {
  readonly wish: TargetCompression;
  readonly only?: ReadonlySet<LayerCompression>;
  /** Begins the note, where nobody asked for other layers. */
  readonly reason?: string;
}

/** Writes the images of a source, as the options want their layers, to where the output is. */
export async function writeImages(given: ImageSource, writing: Writing): Promise<Written> {
  const { verb, place, platforms, signal, dryRun, sourceName, concurrency = CONCURRENCY } = writing;
  const onProgress = writing.onProgress ?? (() => undefined);
  const onNote = (message: string): void => onProgress({ kind: "note", message });
  const profile = writing.loader === undefined ? undefined : loaderProfile(writing.loader);
  const change = layerChange(writing.layers, profile);
  checkForm(place, profile);
  const [platform = hostPlatform()] = platforms === "all" ? [] : platforms;
  const planFor = async (from: ImageSource, roots: readonly Root[]): Promise<CopyPlan> =>
    await gather(from, roots, signal, selectPlatforms(platforms, verb), writing.onAbsent);
  const found: Root[] = [];
  for await (const root of given.roots(signal)) found.push(root);
  const { source, roots } = await convertSchema1(given, found, { onNote, signal });
  let plan = await planFor(source, roots);
  if (profile !== undefined) checkLoads(plan, profile, platform, onNote);
  let originals = writing.originals ?? found;
  if (place.format === "docker") {
    const taken = dockerRoots(plan, platform, onNote);
    originals = taken.flatMap(({ index }) => originals[index] ?? []);
    plan = await planFor(
      source,
      taken.map(({ root }) => root),
    );
  }
  // What is only planned is not read: measuring layers means reading them.
  const isOpen = dryRun === true && plan.blobs.some(blob => isRecompressed(blob, change.wish, change.only));
  if (isOpen) onNote("Layers get another compression when this is written: the digests will be others");
  const planned = withPlan(source, plan);
  const recompressed = dryRun ? planned : await recompress(planned, plan, change, onNote, signal);
  const mostAtOnce = recompressed === planned ? place.mostAtOnce : Math.min(place.mostAtOnce, RECOMPRESS_CONCURRENCY);
  // In an OCI layout, what gets its first manifest gets one of OCI: not every reader of layouts knows Docker's.
  const from = settleDrafts(recompressed, place.format === "oci" || isOpen ? OCI_MANIFEST : undefined);
  const final: Root[] = [];
  for await (const root of from.roots(signal)) final.push(root);
  plan = await planFor(from, final);
  if (!dryRun) {
    const { command, restart } = writing;
    await copyImages({
      plan,
      source: from,
      target: place.target(platform, { command, restart, onNote }),
      sourceName,
      cache: await openDigestCache(undefined),
      concurrency: Math.min(concurrency, mostAtOnce),
      onProgress,
      signal,
    });
  }
  return { plan, images: imagesOf(plan, originals) };
}

/** @throws UsageError for anything but "os/arch[/variant]" or "all" alone. */
export function readPlatforms(
  verb: "pull" | "convert",
  texts: readonly string[] | undefined,
  otherwise: readonly Platform[] | "all",
): readonly Platform[] | "all" {
  if (texts === undefined || texts.length === 0) return otherwise;
  if (!texts.includes("all")) return texts.map(parsePlatform);
  if (texts.length === 1) return "all";
  throw new UsageError(`Cannot ${verb}: "all" stands beside other platforms, expected it alone`);
}

function layerChange(layers: string | undefined, profile: LoaderProfile | undefined): LayerChange {
  if (layers === "gzip" || layers === "raw") return { wish: layers };
  if (layers !== undefined && layers !== "keep")
    throw new UsageError(`Cannot write layers as ${quote(layers)}: unknown, expected keep, gzip or raw`);
  const asked = layers === "keep" ? [] : (profile?.unpacksNot ?? []);
  const reason = asked.length > 0 ? `For ${profile?.name}: ` : "For every loader: ";
  return { wish: "gzip", only: new Set([...NEVER_WRITTEN, ...asked]), reason };
}

async function recompress(
  source: ImageSource,
  plan: CopyPlan,
  { wish, only, reason = "" }: LayerChange,
  onNote: (message: string) => void,
  signal: AbortSignal | undefined,
): Promise<ImageSource> {
  const options = { only, onNote: (text: string) => onNote(`${reason}${text}`), signal };
  return await recompressLayers(source, plan, wish, options);
}

/** The planned roots, their manifests from memory: a registry is not asked again. */
function withPlan(source: ImageSource, plan: CopyPlan): ImageSource {
  return {
    async *roots() {
      yield* plan.roots;
    },
    async blob(descriptor, signal) {
      const planned = plan.manifests.get(descriptor.digest);
      return planned === undefined ? await source.blob(descriptor, signal) : bytesBlob(planned.bytes);
    },
    confirm: async signal => await source.confirm?.(signal),
    stream: source.stream,
    [Symbol.asyncDispose]: async () => await source[Symbol.asyncDispose](),
  };
}

/** Docker's classic store follows `manifest.json` alone. */
function checkForm({ kind, format }: OutputPlace, profile: LoaderProfile | undefined): void {
  if (profile === undefined) return;
  if (kind === "folder") {
    throw new UsageError(`Cannot write folder for ${profile.name}: it loads a tar, expected a file or -`, {
      hint: "Leave out --for, or name a file such as images.tar.",
    });
  }
  if (format !== "oci" || !profile.needsConfig) return;
  throw new UsageError(
    `Cannot write for ${profile.name} with --format oci: it needs manifest.json, expected universal`,
    {
      hint: "Leave out --format.",
    },
  );
}

/** The docker form has one image per name, and no index above it. */
function dockerRoots(
  plan: CopyPlan,
  platform: Platform,
  onNote: (message: string) => void,
): readonly { readonly root: Root; readonly index: number }[] {
  return plan.roots.flatMap((root, index): readonly { readonly root: Root; readonly index: number }[] => {
    if (root.kind === "draft") return [{ root, index }];
    const image = dockerImage(plan, root.descriptor, platform);
    if (image !== undefined) return [{ root: { ...root, descriptor: image.descriptor }, index }];
    const name = root.names[0] ?? root.descriptor.digest;
    onNote(`${name} is no image: left out, because the docker form has no place for it`);
    return [];
  });
}

function imagesOf(plan: CopyPlan, originals: readonly Root[]): readonly WrittenImage[] {
  return plan.roots.flatMap((root, place) => {
    if (root.kind === "draft") return [];
    const { digest, mediaType } = root.descriptor;
    const original = originals[place];
    const isChanged = original?.kind === "settled" && original.descriptor.digest !== digest;
    const previous = isChanged ? { previousDigest: original.descriptor.digest } : {};
    return [{ names: root.names, digest, mediaType, ...previous }];
  });
}
