import type { Root } from "../content/contracts.ts";
import type { Digest } from "../oci/digest.ts";
import { registrySource } from "../store/registry-source.ts";
import { describeImages, type InspectedLayer, type InspectedPlatform } from "./describe-images.ts";
import {
  manifestKey,
  placeOf,
  type ReadManifest,
  type RemoteOptions,
  readableReference,
  readManifest,
  readPlatformManifest,
  repositoryName,
  withRegistries,
} from "./manifest-place.ts";

export interface ManifestOptions extends RemoteOptions {
  /** `os/architecture[/variant]`: that image of an index. */
  readonly platform?: string | undefined;
}

export interface RawManifestResult {
  /** `registry/repository@digest` */
  readonly reference: string;
  readonly digest: Digest;
  readonly mediaType: string;
  /** As the registry holds them. */
  readonly bytes: Uint8Array;
}

/** With the step of the build that made it, where the config tells. */
export interface DescribedLayer extends InspectedLayer {
  /** RFC 3339, as written. */
  readonly created?: string;
  readonly createdBy?: string;
  readonly comment?: string;
}

export interface DescribedPlatform extends Omit<InspectedPlatform, "layers"> {
  readonly layers: readonly DescribedLayer[];
  /** Sum of the layers, as stored. */
  readonly layerBytes: number;
}

export interface ManifestResult {
  /** `registry/repository@digest` */
  readonly reference: string;
  readonly digest: Digest;
  readonly mediaType: string;
  /** Of the manifest itself, in bytes. */
  readonly size: number;
  readonly artifactType?: string;
  readonly subject?: Digest;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platforms: readonly DescribedPlatform[];
  /** Manifests that the index names and the registry does not hold. */
  readonly absent: readonly string[];
}

/** A manifest or index, byte for byte, checked against its digest. @throws NotFoundError */
export async function rawManifest(reference: string, options: ManifestOptions = {}): Promise<RawManifestResult> {
  const named = readableReference(reference, options.registry);
  return await withRegistries(options, async registries => {
    const place = await placeOf(registries, named, options.signal);
    const { descriptor, manifest } = await chosenManifest(place, manifestKey(named), options.platform);
    const { digest, mediaType } = descriptor;
    return { reference: `${repositoryName(named)}@${digest}`, digest, mediaType, bytes: manifest.bytes };
  });
}

/** What a manifest says: of every platform its layers with sizes, dates and the instructions behind them. */
export async function manifest(reference: string, options: ManifestOptions = {}): Promise<ManifestResult> {
  const { signal } = options;
  const named = readableReference(reference, options.registry);
  return await withRegistries(options, async registries => {
    const place = await placeOf(registries, named, signal);
    const { descriptor, view } = await chosenManifest(place, manifestKey(named), options.platform);
    const { digest, mediaType, size } = descriptor;
    const { registry, repository } = named;
    await using source = registrySource([{ registry, repository, digest }], registries.clientFor);
    const roots: Root[] = [];
    for await (const root of source.roots(signal)) roots.push(root);
    const [image] = await describeImages(source, roots, signal);
    return {
      reference: `${repositoryName(named)}@${digest}`,
      digest,
      mediaType,
      size,
      ...(view.artifactType === undefined ? {} : { artifactType: view.artifactType }),
      ...(view.subject === undefined ? {} : { subject: view.subject.digest }),
      ...(view.annotations === undefined ? {} : { annotations: view.annotations }),
      platforms: (image?.platforms ?? []).map(withInstructions),
      absent: image?.absent ?? [],
    };
  });
}

/** History names one step per layer, and steps that made none; where the numbers differ, nobody knows which is which. */
function withInstructions({ layers, ...rest }: InspectedPlatform): DescribedPlatform {
  const steps = rest.history.filter(({ emptyLayer }) => !emptyLayer);
  const isPaired = steps.length === layers.length;
  return {
    ...rest,
    layers: layers.map((layer, place) => {
      const { emptyLayer: _, ...step } = (isPaired ? steps[place] : undefined) ?? { emptyLayer: false };
      return { ...layer, ...step };
    }),
    layerBytes: layers.reduce((sum, { size }) => sum + size, 0),
  };
}

async function chosenManifest(
  place: Parameters<typeof readManifest>[0],
  key: string,
  platform: string | undefined,
): Promise<ReadManifest> {
  return platform === undefined ? await readManifest(place, key) : await readPlatformManifest(place, key, platform);
}
