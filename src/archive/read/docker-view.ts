import { ArchiveError } from "../../errors.ts";
import type { ArchiveNames } from "../../oci/archive-names.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { type Digest, digestOf } from "../../oci/digest.ts";
import { DOCKER_MANIFEST_FILE, type DockerImageEntry, parseDockerManifest } from "../../oci/docker-manifest.ts";
import { parseDiffIds } from "../../oci/image-config.ts";
import { MAX_CONFIG_BYTES } from "../../oci/limits.ts";
import { DOCKER_CONFIG, DOCKER_LAYER, withLayerCompression } from "../../oci/media-types.ts";
import type { TarEntry } from "../../tar/tar-entry.ts";
import { quote } from "../../util/format.ts";
import { type Archive, readMetadata } from "../archive.ts";
import type { OpenArchiveOptions } from "../open/open-archive-options.ts";
import { alteredConfig } from "./altered-config.ts";
import type { ArchiveMetadata } from "./archive-metadata.ts";
import { BlobIndex } from "./blob-index.ts";
import { inFileOrder } from "./in-file-order.ts";
import { isClassicEntry } from "./is-classic-entry.ts";

/** One image as `manifest.json` and its config describe it. */
export interface DockerImage extends ArchiveNames {
  readonly config: Descriptor;
  /** Base first. */
  readonly diffIds: readonly Digest[];
  /** Entry names, one per diff_id. */
  readonly layerPaths: readonly string[];
  /** True if compressed layers are named by their digest: by writers that name the config `sha256:<hex>`. */
  readonly hasDigestNames: boolean;
  /** Docker 25 and newer with its classic store: the OCI view describes the same raw layers, with known faults. */
  readonly isClassic: boolean;
  /** As in `DockerImageEntry`. */
  readonly hasUntaggedName: boolean;
}

interface DockerViewOptions extends Pick<OpenArchiveOptions, "onDamage" | "signal"> {
  /** Digests of the configs of artifacts, which the OCI view names. */
  readonly artifacts?: ReadonlySet<Digest> | undefined;
  /** True where other files say which images there are: none may be whole in a volume. Default false. */
  readonly mayBeEmpty?: boolean;
}

/** An archive as its `manifest.json` describes it. */
export interface DockerView {
  readonly images: readonly DockerImage[];
  /** Configs, and the layers of all images that `layersOf` was called with. */
  readonly blobs: BlobIndex;
  /** True if `manifest.json` spells an entry with "./". */
  readonly hasDotNames: boolean;
  /** Number of entries that were left out, because the OCI view has an artifact with the same config. */
  readonly artifacts: number;
  /**
   * Raw layers have their diff_id as digest. A compressed layer is read whole, unless its name contains its digest: that
   * is a claim, checked like any other when the blob is read.
   *
   * @throws ArchiveError with the entry and what is wrong with it.
   */
  layersOf(image: DockerImage, signal?: AbortSignal): Promise<readonly Descriptor[]>;
}

/**
 * The view of a docker archive: `manifest.json` says which entries are the config and the layers, the config says what
 * the layers must hash to. Reads configs only: layers are not needed where an OCI view describes the same images.
 *
 * @throws ArchiveError with the entry and what is wrong with it; IntegrityError for a config that is not what its name says.
 */
export async function readDockerView(
  archive: Archive,
  metadata: ArchiveMetadata,
  options: DockerViewOptions = {},
): Promise<DockerView> {
  const entries = parseDockerManifest(metadata.bytes(DOCKER_MANIFEST_FILE), archive.what);
  if (entries.length === 0 && options.mayBeEmpty !== true) {
    throw new ArchiveError(
      "no-image",
      `Cannot read ${archive.what}: manifest.json is empty, expected at least one image`,
    );
  }
  return await dockerViewOf(archive, entries, options);
}

/** As `readDockerView`, of entries that were read. */
export async function dockerViewOf(
  archive: Archive,
  entries: readonly DockerImageEntry[],
  options: DockerViewOptions,
): Promise<DockerView> {
  const blobs = new BlobIndex(archive);
  const reader = new LayerReader(archive, blobs);
  const images: DockerImage[] = [];
  let artifacts = 0;
  const configOf = ({ config }: DockerImageEntry): TarEntry | undefined => archive.entries.get(cleanEntryName(config));
  const read = async (entry: DockerImageEntry): ReturnType<typeof readImage> =>
    await readImage(archive, entry, options);
  for (const result of await inFileOrder(entries, configOf, read, options.signal)) {
    const image = result();
    if (image === "artifact") artifacts += 1;
    else if (image !== undefined) {
      const { entry, ...described } = image;
      if (entry !== undefined) blobs.add(described.config.digest, entry);
      images.push(described);
    }
  }
  return {
    images,
    blobs,
    artifacts,
    hasDotNames: entries.some(({ config, layers }) => [config, ...layers].some(name => name.startsWith("./"))),
    async layersOf(image, signal) {
      const layers: Descriptor[] = [];
      for (const [index, diffId] of image.diffIds.entries()) {
        layers.push(await reader.describe(image, image.layerPaths[index] ?? "", diffId, signal));
      }
      return layers;
    },
  };
}

interface ReadDockerImage extends DockerImage {
  /** Of the config. */
  readonly entry: TarEntry | undefined;
}

async function readImage(
  archive: Archive,
  entry: DockerImageEntry,
  { artifacts, onDamage, signal }: DockerViewOptions,
): Promise<ReadDockerImage | "artifact" | undefined> {
  const configName = cleanEntryName(entry.config);
  const configBytes = await readMetadata(archive, configName, MAX_CONFIG_BYTES, signal);
  const digest = digestOf(configBytes);
  const claimed = digestInName(configName);
  if (claimed !== undefined && claimed !== digest) {
    const error = alteredConfig(archive, configName, digest, claimed);
    if (onDamage === undefined) throw error;
    onDamage(claimed, error);
    return undefined;
  }
  let diffIds: readonly Digest[];
  try {
    diffIds = readDiffIds(configBytes, entry, archive.what);
  } catch (error) {
    // Other writers list artifacts as images. No loader can take such an entry for an image.
    if (error instanceof ArchiveError && artifacts?.has(digest) === true) return "artifact";
    throw error;
  }
  return {
    entry: archive.entries.get(configName),
    names: entry.names,
    badNames: entry.badNames,
    hasUntaggedName: entry.hasUntaggedName === true,
    config: { mediaType: DOCKER_CONFIG, digest, size: configBytes.length },
    diffIds,
    layerPaths: entry.layers.map(cleanEntryName),
    hasDigestNames: configName.startsWith("sha256:"),
    isClassic: isClassicEntry(entry),
  };
}

/** One per layer. @throws ArchiveError */
function readDiffIds(
  config: Uint8Array,
  { config: name, layers, names }: DockerImageEntry,
  what: string,
): readonly Digest[] {
  const diffIds = parseDiffIds(config, `${quote(cleanEntryName(name))} in ${what}`);
  if (diffIds.length === layers.length) return diffIds;
  throw new ArchiveError(
    "layer-count",
    `Cannot read image ${names[0] ?? quote(name)} from ${what}: ${layers.length} layers in manifest.json, ` +
      `expected ${diffIds.length} as in its config`,
  );
}

/** Turns layer paths into descriptors, each entry once. */
class LayerReader {
  readonly #archive: Archive;
  readonly #blobs: BlobIndex;
  readonly #known = new Map<number, { readonly diffId: Digest; readonly layer: Descriptor }>();

  constructor(archive: Archive, blobs: BlobIndex) {
    this.#archive = archive;
    this.#blobs = blobs;
  }

  async describe(image: DockerImage, path: string, diffId: Digest, signal?: AbortSignal): Promise<Descriptor> {
    const entry = this.#entry(path);
    const known = this.#known.get(entry.bodyOffset);
    if (known !== undefined && known.diffId !== diffId) {
      throw new ArchiveError(
        "layer-twice",
        `Cannot read layer ${quote(path)} from ${this.#archive.what}: one entry for diff_ids ${known.diffId} and ${diffId}, expected one each`,
      );
    }
    const layer = known?.layer ?? (await this.#describe(image, entry, path, diffId, signal));
    this.#known.set(entry.bodyOffset, { diffId, layer });
    return layer;
  }

  #entry(path: string): TarEntry {
    if (this.#archive.entries.has(path)) return this.#archive.resolve(path);
    throw new ArchiveError(
      "missing-layer",
      `Cannot read layer ${quote(path)} from ${this.#archive.what}: no such entry, expected a file`,
      {
        hint: "The archive is incomplete: save the image again, or compare the file's size with the sender's.",
      },
    );
  }

  async #describe(
    image: DockerImage,
    entry: TarEntry,
    path: string,
    diffId: Digest,
    signal: AbortSignal | undefined,
  ): Promise<Descriptor> {
    const compression = await this.#archive.compressionOf(entry);
    const claimed = compression === undefined ? diffId : claimedDigest(path, image);
    // A name may repeat the diff_id, which is never the digest of a compressed layer.
    const isClaimed = claimed !== undefined && (compression === undefined || claimed !== diffId);
    const layer: Descriptor = {
      mediaType: withLayerCompression(DOCKER_LAYER, compression ?? "none") ?? DOCKER_LAYER,
      digest: isClaimed ? claimed : await this.#archive.digest(entry, signal),
      size: entry.size,
    };
    this.#blobs.add(layer.digest, entry);
    return layer;
  }
}

/** The digest in the name of a compressed layer; most docker archives have none there. */
function claimedDigest(path: string, { hasDigestNames }: DockerImage): Digest | undefined {
  const [, layout, plain] = /^(?:blobs\/sha256\/([0-9a-f]{64})|([0-9a-f]{64})\.tar\.(?:gz|zst))$/.exec(path) ?? [];
  const hex = layout ?? (hasDigestNames ? plain : undefined);
  return hex === undefined ? undefined : `sha256:${hex}`;
}

/** Names in manifest.json may begin with "./"; entries are indexed without it. */
function cleanEntryName(name: string): string {
  return name.startsWith("./") ? name.slice(2) : name;
}

/** A config entry that is named by a digest must have it (security case M-15). */
function digestInName(name: string): Digest | undefined {
  const hex = /^(?:sha256:|blobs\/sha256\/)?([0-9a-f]{64})(?:\.json)?$/.exec(name)?.[1];
  return hex === undefined ? undefined : `sha256:${hex}`;
}
