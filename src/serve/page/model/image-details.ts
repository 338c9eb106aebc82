import { ANNOTATION_TITLE } from "../../../oci/annotations.ts";
import type { Descriptor } from "../../../oci/descriptor.ts";
import type { Digest } from "../../../oci/digest.ts";
import type { HistoryEntry, ImageConfig } from "../../../oci/image-config.ts";
import type { ManifestView } from "../../../oci/manifest.ts";
import { isForeignLayerType, isImageConfigType } from "../../../oci/media-types.ts";
import type { ServedRegistry } from "../../content/served-registry.ts";
import type { BrokenBlob, Catalogue, ListedImage, ListedPlatform } from "./catalogue.ts";
import { readView } from "./manifest-facts.ts";
import { readConfig } from "./read-config.ts";

/** One platform of an image in depth. */
export interface ImageDetails {
  /** Undefined for an image of which no platform is here. */
  readonly platform: ListedPlatform | undefined;
  /** First step first: layers, and steps that only change the configuration. */
  readonly steps: readonly Step[];
  /** False if the history is of other layers than the manifest has: then its steps are left out. */
  readonly hasHistory: boolean;
  /** Of layers, each blob once. */
  readonly layerBytes: number;
  /** Undefined for an artifact, and for a config that cannot be read. */
  readonly config: ImageConfig | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A step of the build. Texts are foreign. */
export interface Step {
  readonly createdBy: string | undefined;
  /** Undefined for a step without bytes. */
  readonly layer: StepLayer | undefined;
}

export interface StepLayer {
  /** From 1. */
  readonly number: number;
  readonly digest: Digest;
  /** Compressed bytes. */
  readonly size: number;
  readonly mediaType: string;
  /** Images here that have it. */
  readonly uses: number;
  readonly broken: BrokenBlob | undefined;
  /** Its publisher asks not to push it, and it is not here. */
  readonly isElsewhere: boolean;
  /** Name of the file, if an artifact says it. */
  readonly title: string | undefined;
}

/**
 * Reads the manifest and the config of one platform.
 *
 * @param wanted label or digest of a platform; the first that is here if there is none such.
 * @throws the reason of `signal`
 */
export async function readImageDetails(
  registry: ServedRegistry,
  catalogue: Pick<Catalogue, "usesOf">,
  image: ListedImage,
  wanted: string | undefined,
  signal: AbortSignal,
): Promise<ImageDetails> {
  const platform = chosenPlatform(image, wanted);
  const repository = await registry.repository(image.repository);
  const record = platform === undefined ? undefined : repository?.manifest(platform.digest);
  const bytes = record === undefined ? undefined : await registry.readManifest(record);
  signal.throwIfAborted();
  const view = bytes === undefined || record === undefined ? undefined : readView(bytes, record.mediaType);
  const config = view?.kind === "image" && isImageConfigType(view.config.mediaType) ? view.config.digest : undefined;
  const parsed = config === undefined ? undefined : await readConfig(registry, repository?.blob(config), signal);
  const broken = new Map(image.broken.map(blob => [blob.digest, blob]));
  const layers = layersOf(view).map((descriptor, index) => ({
    ...stepLayer(descriptor, index + 1, broken.get(descriptor.digest), catalogue.usesOf(descriptor.digest)),
    isElsewhere: isForeignLayerType(descriptor.mediaType) && repository?.blob(descriptor.digest) === undefined,
  }));
  const steps = joinedSteps(layers, parsed?.history ?? []);
  const sizes = new Map(layers.map(({ digest, size }) => [digest, size]));
  return {
    platform,
    steps: steps ?? layers.map(layer => ({ createdBy: undefined, layer })),
    hasHistory: steps !== undefined,
    layerBytes: [...sizes.values()].reduce((sum, size) => sum + size, 0),
    config: parsed,
    annotations: view?.annotations ?? {},
  };
}

function chosenPlatform({ platforms }: ListedImage, wanted: string | undefined): ListedPlatform | undefined {
  const carried = platforms.filter(({ state }) => state !== "left out");
  return carried.find(({ label, digest }) => wanted === label || wanted === digest) ?? carried[0];
}

function layersOf(view: ManifestView | undefined): readonly Descriptor[] {
  if (view === undefined || view.kind === "index") return [];
  return view.kind === "image" ? view.layers : view.blobs;
}

function stepLayer(
  { digest, size, mediaType, annotations }: Descriptor,
  number: number,
  broken: BrokenBlob | undefined,
  uses: number,
): Omit<StepLayer, "isElsewhere"> {
  return { number, digest, size, mediaType, uses, broken, title: annotations?.[ANNOTATION_TITLE] };
}

/** Undefined if they do not fit: some builders write no history, or one of other layers. */
function joinedSteps(layers: readonly StepLayer[], history: readonly HistoryEntry[]): readonly Step[] | undefined {
  if (history.filter(({ emptyLayer }) => !emptyLayer).length !== layers.length) return undefined;
  const rest = layers.values();
  return history.map(({ createdBy, comment, emptyLayer }) => ({
    createdBy: createdBy ?? comment,
    layer: emptyLayer ? undefined : rest.next().value,
  }));
}
