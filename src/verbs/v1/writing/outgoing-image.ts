import type { ImageSource, Root } from "../../../content/contracts.ts";
import { isPending } from "../../../content/draft-manifest.ts";
import { readBlob } from "../../../content/pump.ts";
import { readManifestBytes } from "../../../content/read-manifest-bytes.ts";
import { verified } from "../../../content/verified.ts";
import { checkPlatforms, configPlatform, noSuchPlatform, severalBuilds } from "../../../copy/image-platforms.ts";
import { ArchiveError, isMissingBlob } from "../../../errors.ts";
import type { Descriptor } from "../../../oci/descriptor.ts";
import type { Digest } from "../../../oci/digest.ts";
import { parseImageConfig } from "../../../oci/image-config.ts";
import { isArtifact } from "../../../oci/is-artifact.ts";
import { type V1ChainJson, v1ChainJson } from "../../../oci/legacy/v1-chain-json.ts";
import { MAX_CONFIG_BYTES, MAX_INDEX_DEPTH } from "../../../oci/limits.ts";
import { parseManifest } from "../../../oci/manifest.ts";
import { isForeignLayerType, layerCompression } from "../../../oci/media-types.ts";
import { type Platform, selectBuilds } from "../../../oci/platform.ts";
import type { V1PushImage } from "../../../registry/v1/writing/push-v1.ts";
import { escapeForeign, quote } from "../../../util/format.ts";
import { emptyLayer, outgoingLayer } from "./outgoing-layer.ts";

const CHOOSE = "Choose one with --platform: a v1 registry has one for a tag.";

export interface OutgoingSource {
  readonly source: ImageSource;
  /** Ids and JSON that the layers of an image had in v1, base first; undefined for an image that never was one. */
  readonly originalChain?: (config: Digest, signal?: AbortSignal) => Promise<readonly V1ChainJson[] | undefined>;
  /** Taken of an index. */
  readonly platform: Platform;
  /** True if no one asked for `platform`: an image that is in no index need not fit it. */
  readonly isPlatformDefault: boolean;
  /** Of inflated layers, by digest. */
  readonly sizes: Map<Digest, number>;
}

interface Parts {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  /** What an index says that it runs on. */
  readonly platform?: Platform | undefined;
}

/** An image as a v1 registry gets it, and what has to be read of its source. */
export interface OutgoingImage extends V1PushImage {
  readonly layers: readonly Descriptor[];
}

/**
 * An image as a v1 registry gets it. Nothing is read but manifests and its config.
 *
 * @param what names it in messages.
 * @throws ArchiveError for an image that v1 cannot hold; NotFoundError, UsageError if no or several of its platforms fit.
 */
export async function outgoingImage(
  root: Root,
  tags: readonly string[],
  what: string,
  from: OutgoingSource,
  signal?: AbortSignal,
): Promise<OutgoingImage> {
  const { source, originalChain } = from;
  const { config, layers, platform }: Parts =
    root.kind === "settled"
      ? await partsOf(root.descriptor, what, from, 0, signal)
      : {
          config: root.draft.config,
          layers: root.draft.layers.map(layer => (isPending(layer) ? layer.origin : layer)),
        };
  if (!from.isPlatformDefault && platform === undefined) {
    const found = await configPlatform(source, config, signal);
    if (found !== undefined) checkPlatforms([from.platform], [found], `push ${what}`, CHOOSE);
  }
  refuseLayers(layers, what);
  const bytes = await readBlob(verified(config, await source.blob(config, signal), what), MAX_CONFIG_BYTES, signal);
  const { diffIds } = parseImageConfig(bytes, what);
  if (diffIds.length !== layers.length) {
    const found = `${diffIds.length} diff_ids for ${layers.length} layers`;
    throw new ArchiveError("layer-count", `Cannot push ${what}: found ${found}, expected one for each`);
  }
  const chain = (await originalChain?.(config.digest, signal)) ?? v1ChainJson(bytes, what);
  return {
    tags,
    id: chain.at(-1)?.id ?? "",
    layers,
    chain: chain.map((json, index) => {
      const [layer, diffId] = [layers[index], diffIds[index]];
      if (layer === undefined || diffId === undefined) return emptyLayer(json);
      return outgoingLayer(json, layer, diffId, source, from.sizes);
    }),
  };
}

async function partsOf(
  descriptor: Descriptor,
  what: string,
  from: OutgoingSource,
  depth: number,
  signal: AbortSignal | undefined,
): Promise<Parts> {
  const bytes = await readManifestBytes(from.source, descriptor, what, signal);
  const view = parseManifest(bytes, { where: what, announced: descriptor.mediaType });
  if (view.kind === "image") {
    if (view.layers.some(({ mediaType }) => mediaType.includes("encrypted"))) throw refused(what, "encrypted layers");
    if (!isArtifact(view)) return view;
    const type = view.artifactType ?? view.config.mediaType;
    throw refused(what, `an artifact (${escapeForeign(type)})`);
  }
  if (view.kind !== "index" || depth >= MAX_INDEX_DEPTH) throw refused(what, escapeForeign(descriptor.mediaType));
  const { manifests } = view;
  const [only, ...others] = manifests;
  if (only !== undefined && others.length === 0 && only.platform === undefined)
    return await partsOf(only, what, from, depth + 1, signal);
  const builds = selectBuilds(manifests, from.platform);
  const [build, ...more] = builds;
  const task = `push ${what}`;
  if (build === undefined) {
    const found = manifests.map(({ platform }) => platform);
    throw noSuchPlatform(from.platform, found, task, CHOOSE);
  }
  if (more.length > 0) throw severalBuilds(from.platform, builds, task);
  try {
    return { ...(await partsOf(build, what, from, depth + 1, signal)), platform: build.platform };
  } catch (error) {
    if (!isMissingBlob(error) || (await isThere(build, what, from, signal))) throw error;
    const there: Descriptor[] = [];
    for (const child of manifests) if (await isThere(child, what, from, signal)) there.push(child);
    const found = there.map(child => child.platform);
    throw noSuchPlatform(from.platform, found, task, CHOOSE);
  }
}

/** Archives often lack platforms that their index names. */
async function isThere(
  descriptor: Descriptor,
  what: string,
  { source }: OutgoingSource,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    await readManifestBytes(source, descriptor, what, signal);
    return true;
  } catch (error) {
    if (isMissingBlob(error)) return false;
    throw error;
  }
}

function refuseLayers(layers: readonly Descriptor[], what: string): void {
  for (const { mediaType, urls = [] } of layers) {
    if (isForeignLayerType(mediaType) || urls.length > 0) throw refused(what, "foreign layers");
    if (layerCompression(mediaType) === undefined) throw refused(what, `a layer of type ${quote(mediaType)}`);
  }
}

function refused(what: string, found: string): ArchiveError {
  return new ArchiveError(
    "not-for-v1",
    `Cannot push ${what} to a v1 registry: found ${found}, expected an image of plain layers`,
    {
      hint: "The v1 protocol has one kind of content: layers that are tars, with an image on top. Push it to a v2 registry.",
    },
  );
}
