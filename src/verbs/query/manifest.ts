import { listRoots } from "../../content/derived-source.ts";
import { ArchiveError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { getManifest } from "../../registry/api/get-manifest.ts";
import type { Repository } from "../../registry/client/repository.ts";
import { type FullReference, manifestKey, registrySource } from "../../registry/registry-source.ts";
import { checkedOptions, type OptionsShape } from "../../util/options/checked-options.ts";
import { TEXT } from "../../util/options/option-kinds.ts";
import { COMMON } from "../options/common-options.ts";
import { checkText } from "../options/option-values.ts";
import { describeImages, type InspectedPlatform } from "../shared/describe-images.ts";
import type { DescribedPlatform } from "../shared/described-platform.ts";
import {
  getNamedManifest,
  type ReadManifest,
  type RemoteOptions,
  readableReference,
  readNamedManifest,
  readPlatformManifest,
  withRegistries,
} from "../shared/remote-image.ts";
import { describeSchema1 } from "./describe-schema1.ts";

/** Options of `manifest` and `rawManifest`. */
export interface ManifestOptions extends RemoteOptions {
  /** `os/architecture[/variant]` of an index, for the manifest of that image. Default: the index itself. */
  readonly platform?: string | undefined;
}

const MANIFEST_OPTIONS: OptionsShape<ManifestOptions> = { ...COMMON, platform: TEXT };

/** A manifest or index as it is. */
export interface RawManifestResult {
  /** `registry/repository@digest` */
  readonly reference: string;
  readonly digest: Digest;
  readonly mediaType: string;
  /** JSON, byte for byte as the registry has it. */
  readonly bytes: Uint8Array;
}

/** What a manifest or index says. */
export interface ManifestResult {
  /** `registry/repository@digest` */
  readonly reference: string;
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes of the manifest itself. */
  readonly size: number;
  readonly artifactType?: string;
  /** Digest of the manifest that this one refers to. */
  readonly subject?: Digest;
  readonly annotations?: Readonly<Record<string, string>>;
  /** One per image; one for a manifest that is no index. */
  readonly platforms: readonly DescribedPlatform[];
  /** Manifests that the index names and the registry does not have: their platforms, or else their digests. */
  readonly absent: readonly string[];
}

/**
 * Reads a manifest or index, checked against its digest.
 *
 * @throws NotFoundError if there is no such image or platform; IntegrityError for bytes that are not what the digest says.
 * @throws AuthError, NetworkError, RegistryError
 * @example
 * ```ts
 * import { rawManifest } from "imgpack";
 *
 * const { bytes, mediaType } = await rawManifest("registry.lan:5000/team/app:1.4");
 * console.log(mediaType, new TextDecoder().decode(bytes));
 * ```
 */
export async function rawManifest(reference: string, options: ManifestOptions = {}): Promise<RawManifestResult> {
  checkText("read manifest", "the name of an image", reference);
  options = checkedOptions(options, MANIFEST_OPTIONS);
  const named = readableReference(reference, options.registry);
  return await withRegistries(options, named.registry, async registries => {
    const { platform, signal } = options;
    const repository = await registries.repositoryFor(named, signal);
    const { descriptor, manifest } =
      platform === undefined
        ? await getNamedManifest(repository, named, { takesSchema1: true, takesAny: true, verb: "read", signal })
        : await readPlatformManifest(repository, named, platform, { takesSchema1: true, signal });
    const { digest, mediaType } = descriptor;
    return { reference: `${repository}@${digest}`, digest, mediaType, bytes: manifest.bytes };
  });
}

/**
 * Describes an image: of each platform its layers with their sizes, dates and build instructions.
 *
 * @throws NotFoundError if there is no such image or platform; RegistryError for a manifest that cannot be understood.
 * @throws IntegrityError, AuthError, NetworkError
 * @example
 * ```ts
 * import { manifest } from "imgpack";
 *
 * const { platforms } = await manifest("registry.lan:5000/team/app:1.4");
 * for (const { platform, layerBytes } of platforms) console.log(platform, layerBytes);
 * ```
 */
export async function manifest(reference: string, options: ManifestOptions = {}): Promise<ManifestResult> {
  checkText("read manifest", "the name of an image", reference);
  options = checkedOptions(options, MANIFEST_OPTIONS);
  const { signal } = options;
  const named = readableReference(reference, options.registry);
  return await withRegistries(options, named.registry, async registries => {
    const remote = await registries.repositoryFor(named, signal);
    const read = await chosenManifest(remote, named, options);
    if ("platforms" in read) return read;
    const { descriptor, view } = read;
    const { digest, mediaType, size } = descriptor;
    const { registry, repository } = named;
    await using source = registrySource([{ registry, repository, digest }], registries.repositoryFor);
    const [image] = await describeImages(source, await listRoots(source, signal), signal);
    return {
      reference: `${remote}@${digest}`,
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

/** History has one step per layer, and steps without one; if the numbers differ, they cannot be matched. */
function withInstructions({ layers, ...rest }: InspectedPlatform): DescribedPlatform {
  const steps = rest.history.filter(({ emptyLayer }) => !emptyLayer);
  const isPaired = steps.length === layers.length;
  return {
    ...rest,
    layers: layers.map((layer, index) => {
      const { emptyLayer: _, ...step } = (isPaired ? steps[index] : undefined) ?? { emptyLayer: false };
      return { ...layer, ...step };
    }),
    layerBytes: layers.reduce((sum, { size }) => sum + size, 0),
  };
}

/** A manifest of schema 1 is described at once: no other document has its form. */
async function chosenManifest(
  repository: Repository,
  named: FullReference,
  { platform, signal }: ManifestOptions,
): Promise<ReadManifest | ManifestResult> {
  const options = { takesSchema1: true, verb: "read", signal };
  try {
    return platform === undefined
      ? await readNamedManifest(repository, named, options)
      : await readPlatformManifest(repository, named, platform, options);
  } catch (error) {
    if (!(error instanceof ArchiveError) || error.reason !== "manifest-schema1") throw error;
    const fetched = await getManifest(repository, manifestKey(named), options);
    if (fetched.payload === undefined) throw error;
    const { digest, mediaType } = fetched.descriptor;
    const reference = `${repository}@${digest}`;
    const size = fetched.manifest.bytes.length;
    const platforms = [await describeSchema1(repository, digest, fetched.payload, signal)];
    return { reference, digest, mediaType, size, platforms, absent: [] };
  }
}
