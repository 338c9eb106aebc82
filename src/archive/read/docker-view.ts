import { createHash } from "node:crypto";
import { ArchiveError, IntegrityError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { DOCKER_MANIFEST_FILE, type DockerImageEntry, parseDockerManifest } from "../../oci/docker-manifest.ts";
import { parseImageConfig } from "../../oci/image-config.ts";
import { MAX_ARCHIVE_INDEX_BYTES, MAX_CONFIG_BYTES } from "../../oci/limits.ts";
import { DOCKER_CONFIG, DOCKER_LAYER, layerCompression, withLayerCompression } from "../../oci/media-types.ts";
import type { TarEntry } from "../../tar/tar-entry.ts";
import { quote } from "../../util/format.ts";
import { type Archive, readMetadata } from "../archive.ts";
import type { OpenArchiveOptions } from "../open/open-archive-options.ts";
import { BlobIndex } from "./blob-index.ts";

/** One image as `manifest.json` and its config describe it. */
export interface DockerImage {
  /** Full names with a tag. */
  readonly names: readonly string[];
  readonly config: Descriptor;
  /** Base first. */
  readonly diffIds: readonly Digest[];
  /** Entry names, one per diff_id. */
  readonly layerPaths: readonly string[];
  /** Writers that name the config `sha256:<hex>` name compressed layers by their digest. */
  readonly namesTellDigests: boolean;
  /** Docker 25 and newer with its classic store: the OCI view describes the same raw layers, with known faults. */
  readonly isClassic: boolean;
}

/** The images of `manifest.json`, and where their blobs lie. */
export interface DockerImages {
  readonly images: readonly DockerImage[];
  /** Configs, and the layers of those images that `layersOf` was asked for. */
  readonly slices: BlobIndex;
  /**
   * Raw layers have their diff_id as digest. A compressed layer is read whole, unless its name tells its digest: that is
   * a claim, checked like any other when the blob is read.
   *
   * @throws ArchiveError with the entry and what is wrong with it.
   */
  layersOf(image: DockerImage, signal?: AbortSignal): Promise<readonly Descriptor[]>;
}

/**
 * Reads a docker archive (`docker save`, and whoever writes its form): `manifest.json` says which entries are the
 * config and the layers, the config says what the layers must hash to. Layers are not looked at yet: where an OCI view
 * tells the same, nobody needs them.
 *
 * @throws ArchiveError with the entry and what is wrong with it; IntegrityError for a config that is not what its name says.
 */
export async function readDockerImages(
  archive: Archive,
  onDamage?: OpenArchiveOptions["onDamage"],
  signal?: AbortSignal,
): Promise<DockerImages> {
  const bytes = await readMetadata(archive, DOCKER_MANIFEST_FILE, MAX_ARCHIVE_INDEX_BYTES, signal);
  const entries = parseDockerManifest(bytes, archive.what);
  if (entries.length === 0) {
    throw new ArchiveError(
      "no-image",
      `Cannot read ${archive.what}: manifest.json is empty, expected at least one image`,
    );
  }
  const slices = new BlobIndex(archive);
  const reader = new LayerReader(archive, slices);
  const images: DockerImage[] = [];
  for (const entry of entries) {
    const image = await readImage(archive, slices, entry, onDamage, signal);
    if (image !== undefined) images.push(image);
  }
  return {
    images,
    slices,
    async layersOf(image, signal) {
      const layers: Descriptor[] = [];
      for (const [place, diffId] of image.diffIds.entries()) {
        layers.push(await reader.describe(image, image.layerPaths[place] ?? "", diffId, signal));
      }
      return layers;
    },
  };
}

async function readImage(
  archive: Archive,
  slices: BlobIndex,
  entry: DockerImageEntry,
  onDamage: OpenArchiveOptions["onDamage"],
  signal: AbortSignal | undefined,
): Promise<DockerImage | undefined> {
  const configName = cleanEntryName(entry.config);
  const configBytes = await readMetadata(archive, configName, MAX_CONFIG_BYTES, signal);
  const digest: Digest = `sha256:${createHash("sha256").update(configBytes).digest("hex")}`;
  const claimed = digestInName(configName);
  if (claimed !== undefined && claimed !== digest) {
    const error = alteredConfig(archive, configName, digest, claimed);
    if (onDamage === undefined) throw error;
    onDamage(claimed, error);
    return undefined;
  }
  const { diffIds } = parseImageConfig(configBytes, `${quote(configName)} in ${archive.what}`);
  if (diffIds.length !== entry.layers.length) {
    throw new ArchiveError(
      "layer-count",
      `Cannot read image ${entry.repoTags[0] ?? digest} from ${archive.what}: ${entry.layers.length} layers in manifest.json, ` +
        `expected ${diffIds.length} as in its config`,
    );
  }
  const configEntry = archive.entries.get(configName);
  if (configEntry !== undefined) slices.add(digest, configEntry);
  return {
    names: entry.repoTags,
    config: { mediaType: DOCKER_CONFIG, digest, size: configBytes.length },
    diffIds,
    layerPaths: entry.layers.map(cleanEntryName),
    namesTellDigests: configName.startsWith("sha256:"),
    isClassic: [...entry.layerSources].some(
      ([diffId, layer]) => layer.digest === diffId && layerCompression(layer.mediaType) === "none",
    ),
  };
}

/** Turns layer paths into descriptors, each entry once. */
class LayerReader {
  readonly #archive: Archive;
  readonly #slices: BlobIndex;
  readonly #known = new Map<number, { readonly diffId: Digest; readonly layer: Descriptor }>();

  constructor(archive: Archive, slices: BlobIndex) {
    this.#archive = archive;
    this.#slices = slices;
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
    this.#slices.add(layer.digest, entry);
    return layer;
  }
}

/** What the name of a compressed layer says; in most docker archives it says nothing. */
function claimedDigest(path: string, { namesTellDigests }: DockerImage): Digest | undefined {
  const [, layout, plain] = /^(?:blobs\/sha256\/([0-9a-f]{64})|([0-9a-f]{64})\.tar\.(?:gz|zst))$/.exec(path) ?? [];
  const hex = layout ?? (namesTellDigests ? plain : undefined);
  return hex === undefined ? undefined : `sha256:${hex}`;
}

/** Names in manifest.json may begin with "./"; entries are indexed without. */
function cleanEntryName(name: string): string {
  return name.startsWith("./") ? name.slice(2) : name;
}

/** A config entry that is named by a digest must have it (security case M-15). */
function digestInName(name: string): Digest | undefined {
  const hex = /^(?:sha256:|blobs\/sha256\/)?([0-9a-f]{64})(?:\.json)?$/.exec(name)?.[1];
  return hex === undefined ? undefined : `sha256:${hex}`;
}

function alteredConfig(archive: Archive, name: string, digest: Digest, claimed: Digest): IntegrityError {
  return new IntegrityError(
    `Cannot accept config ${quote(name)} from ${archive.what}: found ${digest}, expected ${claimed} as in its name`,
    { hint: "The archive was damaged or altered after it was saved: copy it again from its source." },
  );
}
