import { ArchiveError } from "../errors.ts";
import { formatBytes } from "../util/format.ts";
import { parseJson } from "../util/json/json.ts";
import { ANY, fixedFields, type JsonShape, listOf, mapOf } from "../util/json/json-shape.ts";
import { array, checkSchema, fields, freeMap, nullish, string } from "../util/json/schema.ts";
import { type ArchiveNames, archiveNames, isUntaggedName } from "./archive-names.ts";
import type { Descriptor } from "./descriptor.ts";
import { DESCRIPTOR_SHAPE, descriptorSchema } from "./descriptor-schema.ts";
import { type Digest, parseDigest } from "./digest.ts";
import { MAX_ARCHIVE_INDEX_BYTES, MAX_SKOPEO_MANIFEST_BYTES } from "./limits.ts";

export const DOCKER_MANIFEST_FILE = "manifest.json";

/** One image of a docker archive. Entry names are unchecked: resolve them inside the archive only. */
export interface DockerImageEntry extends ArchiveNames {
  readonly config: string;
  /** Base first; the same entry can occur several times. */
  readonly layers: readonly string[];
  /** By diff_id, or by blob digest if regctl wrote it. Most writers leave it empty. */
  readonly layerSources: ReadonlyMap<Digest, Descriptor>;
  /** True if a name has no tag, as `app` or `app@sha256:…`, which most loaders refuse. Absent if each has one. */
  readonly hasUntaggedName?: boolean;
}

/** A note that says who cannot read a `manifest.json` of this size; none if all can. */
export function dockerManifestNotes(bytes: number): readonly string[] {
  if (bytes <= MAX_SKOPEO_MANIFEST_BYTES) return [];
  return [
    `${DOCKER_MANIFEST_FILE} has ${formatBytes(bytes)}: "skopeo copy docker-archive:" and podman read at most ` +
      `${formatBytes(MAX_SKOPEO_MANIFEST_BYTES)} of it and refuse the archive; docker, containerd and imgpack read it`,
  ];
}

const MANIFEST_SHAPE: JsonShape = listOf(
  fixedFields({ Config: ANY, RepoTags: ANY, Layers: ANY, Parent: ANY, LayerSources: mapOf(DESCRIPTOR_SHAPE) }),
);
const manifestSchema = array(
  fields({
    Config: string(),
    RepoTags: nullish(array(string())),
    Layers: nullish(array(string())),
    LayerSources: nullish(freeMap(descriptorSchema)),
  }),
);

/**
 * Reads the `manifest.json` of a docker archive: an array of at most 20 MiB. The order of its images has no meaning:
 * Docker writes them from a hash map.
 *
 * @throws ArchiveError "docker-manifest-lookalike" for files of other tools with that name, "bad-digest", or a json-… reason.
 */
export function parseDockerManifest(bytes: Uint8Array, where: string): readonly DockerImageEntry[] {
  const what = DOCKER_MANIFEST_FILE;
  const value = parseJson(bytes, { what, where, maxBytes: MAX_ARCHIVE_INDEX_BYTES, shape: MANIFEST_SHAPE });
  const other = lookalike(value);
  if (other !== undefined) {
    throw new ArchiveError(
      "docker-manifest-lookalike",
      `Cannot read ${what} from ${where}: found ${other.found}, expected a list of images with Config and Layers`,
      { hint: other.hint },
    );
  }
  return checkSchema(manifestSchema, value, what, where).map(entry => ({
    config: entry.Config,
    ...archiveNames(entry.RepoTags ?? []),
    ...((entry.RepoTags ?? []).some(isUntaggedName) ? { hasUntaggedName: true } : {}),
    layers: entry.Layers ?? [],
    layerSources: new Map(
      [...(entry.LayerSources ?? [])].map(([key, source]) => [parseDigest(key, `LayerSources in ${where}`), source]),
    ),
  }));
}

function lookalike(value: unknown): { readonly found: string; readonly hint: string } | undefined {
  if (Array.isArray(value)) {
    const [first] = value as readonly unknown[];
    if (!hasAny(first, ["Image", "ImageIndex"])) return undefined;
    return { found: "an archive of imgpkg", hint: 'Copy it to a registry with "imgpkg copy --tar" first.' };
  }
  if (!hasAny(value, ["schemaVersion", "mediaType", "layers", "manifests", "fsLayers"])) return undefined;
  return {
    found: "a registry manifest",
    hint: 'A folder in the "dir:" format of skopeo is not a docker archive: copy it to "docker-archive:" or "oci:" first.',
  };
}

function hasAny(value: unknown, keys: readonly string[]): boolean {
  return typeof value === "object" && value !== null && keys.some(key => Object.hasOwn(value, key));
}
