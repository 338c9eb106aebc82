import type { Root } from "../../content/contracts.ts";
import { ArchiveError } from "../../errors.ts";
import { type ArchiveNames, archiveNames } from "../../oci/archive-names.ts";
import { type Descriptor, describeBytes } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { legacyConfig } from "../../oci/legacy/legacy-config.ts";
import { type LegacyLayer, parseLegacyLayer } from "../../oci/legacy/legacy-layer.ts";
import { parseRepositories, REPOSITORIES_FILE } from "../../oci/legacy/legacy-names.ts";
import type { V1ChainJson } from "../../oci/legacy/v1-chain-json.ts";
import { MAX_CONFIG_BYTES, MAX_KEPT_JSON_BYTES } from "../../oci/limits.ts";
import { DOCKER_CONFIG, DOCKER_LAYER, DOCKER_MANIFEST } from "../../oci/media-types.ts";
import { formatBytes, quote } from "../../util/format.ts";
import { type Archive, readMetadata } from "../archive.ts";
import type { ArchiveMetadata } from "./archive-metadata.ts";
import { BlobIndex } from "./blob-index.ts";
import { layerIdOf } from "./is-legacy-archive.ts";

/** Docker itself allowed 127 (security case M-14). */
const MAX_LAYERS = 1000;

/** An archive of Docker 1.9 or older. */
export interface LegacyView {
  readonly images: readonly Root[];
  readonly blobs: BlobIndex;
  /** Ids of the layers of each image, base first, by the digest of the config that was made for it. */
  readonly chains: ReadonlyMap<Digest, readonly string[]>;
}

/** The JSON of layers as the archive has it. @param ids of one of `LegacyView.chains`. */
export async function readLegacyChain(
  archive: Archive,
  ids: readonly string[],
  signal?: AbortSignal,
): Promise<readonly V1ChainJson[]> {
  const chain: V1ChainJson[] = [];
  for (const id of ids) chain.push({ id, json: await readMetadata(archive, `${id}/json`, MAX_CONFIG_BYTES, signal) });
  return chain;
}

/**
 * The view of an archive of Docker 1.9 or older: `repositories` names the top layers, each layer names its parent.
 * Computes diff_ids, and makes configs from them.
 *
 * @throws ArchiveError "legacy-id", "legacy-chain", "missing-entry", "missing-layer", "layer-compression".
 */
export async function readLegacyView(
  archive: Archive,
  metadata: ArchiveMetadata,
  signal?: AbortSignal,
): Promise<LegacyView> {
  const blobs = new BlobIndex(archive);
  const layers = new Map<string, LegacyLayer>();
  for (const name of archive.entries.keys()) {
    const id = layerIdOf(name);
    if (id === undefined) continue;
    const where = `${quote(name)} in ${archive.what}`;
    const layer = parseLegacyLayer(await readMetadata(archive, name, MAX_CONFIG_BYTES, signal), where);
    if (layer.id !== id)
      throw refused("legacy-id", archive, `${quote(name)} has the id ${layer.id}`, "that of its folder");
    layers.set(id, layer);
  }
  const known = new Map<string, Descriptor>();
  const describe = async (id: string): Promise<Descriptor> => {
    const layer = known.get(id) ?? (await describeLayer(archive, blobs, `${id}/layer.tar`, signal));
    known.set(id, layer);
    return layer;
  };
  const images: Root[] = [];
  const chains = new Map<Digest, readonly string[]>();
  let madeBytes = 0;
  for (const [top, named] of topLayers(archive, metadata, layers)) {
    const chain = chainOf(archive, layers, top);
    const found: Descriptor[] = [];
    for (const { id } of chain) found.push(await describe(id));
    const bytes = legacyConfig(
      chain,
      found.map(({ digest }) => digest),
      { where: archive.what },
    );
    madeBytes += bytes.length;
    if (bytes.length > MAX_CONFIG_BYTES || madeBytes > MAX_KEPT_JSON_BYTES)
      throw refused("too-large", archive, `a config of ${formatBytes(bytes.length)}`, "less history in its layers");
    const config = describeBytes(DOCKER_CONFIG, bytes);
    blobs.addMade(config.digest, bytes);
    chains.set(
      config.digest,
      chain.map(({ id }) => id),
    );
    images.push({ kind: "draft", ...named, draft: { mediaType: DOCKER_MANIFEST, config, layers: found } });
  }
  if (images.length > 0) return { images, blobs, chains };
  throw refused("no-image", archive, "no layer in it", "at least one");
}

/** The layers that `repositories` names, and each layer that is the parent of none. */
function topLayers(
  archive: Archive,
  metadata: ArchiveMetadata,
  layers: ReadonlyMap<string, LegacyLayer>,
): ReadonlyMap<string, ArchiveNames> {
  const tops = new Map<string, string[]>();
  if (metadata.has(REPOSITORIES_FILE)) {
    const bytes = metadata.bytes(REPOSITORIES_FILE);
    for (const { text, id } of parseRepositories(bytes, archive.what)) tops.set(id, [...(tops.get(id) ?? []), text]);
  }
  const parents = new Set([...layers.values()].map(({ parent }) => parent));
  for (const id of layers.keys()) if (!parents.has(id) && !tops.has(id)) tops.set(id, []);
  return new Map([...tops].map(([id, texts]) => [id, archiveNames(texts)]));
}

/** Base first. */
function chainOf(archive: Archive, layers: ReadonlyMap<string, LegacyLayer>, top: string): readonly LegacyLayer[] {
  const chain: LegacyLayer[] = [];
  for (let id: string | undefined = top; id !== undefined; ) {
    const layer = layers.get(id);
    if (layer === undefined) throw refused("legacy-chain", archive, `no layer ${id}`, `it below ${top}`);
    if (chain.length >= MAX_LAYERS)
      throw refused("legacy-chain", archive, `more than ${MAX_LAYERS} layers below ${top}`, "a chain that ends");
    chain.unshift(layer);
    id = layer.parent;
  }
  return chain;
}

async function describeLayer(
  archive: Archive,
  blobs: BlobIndex,
  name: string,
  signal: AbortSignal | undefined,
): Promise<Descriptor> {
  if (!archive.entries.has(name)) throw refused("missing-layer", archive, `no entry ${quote(name)}`, "the layer's tar");
  const entry = archive.resolve(name);
  const compression = await archive.compressionOf(entry);
  if (compression !== undefined)
    throw refused("layer-compression", archive, `${compression} data in ${quote(name)}`, "a plain tar");
  const digest = await archive.digest(entry, signal);
  blobs.add(digest, entry);
  return { mediaType: DOCKER_LAYER, digest, size: entry.size };
}

function refused(reason: string, archive: Archive, found: string, expected: string): ArchiveError {
  return new ArchiveError(reason, `Cannot read ${archive.what}: ${found}, expected ${expected}`, {
    hint: "The archive is incomplete or was put together by hand: save the image again.",
  });
}
