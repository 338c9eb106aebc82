import { ArchiveError } from "../errors.ts";
import { parseJson } from "../util/json/json.ts";
import { ANY, fixedFields } from "../util/json/json-shape.ts";
import { checkSchema, fields, string } from "../util/json/schema.ts";
import { ANNOTATION_IMAGE_NAME, ANNOTATION_REF_NAME } from "./annotations.ts";
import { type ArchiveNames, manifestNames, uniteNames } from "./archive-names.ts";
import type { Descriptor } from "./descriptor.ts";
import type { Digest } from "./digest.ts";
import { MAX_ARCHIVE_INDEX_BYTES, MAX_LAYOUT_HEADER_BYTES } from "./limits.ts";
import { type IndexView, parseManifest } from "./manifest.ts";
import { OCI_INDEX } from "./media-types.ts";
import { formatReference, isTag, parseReference } from "./reference.ts";

export const LAYOUT_FILE = "oci-layout";
export const INDEX_FILE = "index.json";
/** The content of `oci-layout`, byte for byte as containerd writes it. */
export const LAYOUT_HEADER = '{"imageLayoutVersion":"1.0.0"}';

/** An entry of `index.json`; entries with the same digest are one root. */
export interface LayoutRoot extends ArchiveNames {
  readonly descriptor: Descriptor;
  /** Tags without a repository, such as "latest". */
  readonly tags: readonly string[];
}

export interface LayoutIndex {
  readonly view: IndexView;
  readonly roots: readonly LayoutRoot[];
}

const headerShape = fixedFields({ imageLayoutVersion: ANY });
const headerSchema = fields({ imageLayoutVersion: string() });

/**
 * Checks an `oci-layout` file by its JSON value, because white space differs between writers.
 *
 * @throws ArchiveError "layout-version", or a json-… reason.
 */
export function checkLayoutHeader(bytes: Uint8Array, where: string): void {
  const value = parseJson(bytes, { what: LAYOUT_FILE, where, maxBytes: MAX_LAYOUT_HEADER_BYTES, shape: headerShape });
  if (checkSchema(headerSchema, value, LAYOUT_FILE, where).imageLayoutVersion === "1.0.0") return;
  throw new ArchiveError(
    "layout-version",
    `Cannot read ${LAYOUT_FILE} from ${where}: found another version, expected 1.0.0`,
  );
}

/**
 * Reads the `index.json` of a layout, at most 20 MiB. Its blobs can be absent (image-spec image-layout.md).
 *
 * @throws ArchiveError as `parseManifest`; "descriptor-conflict" if a digest occurs with two sizes or media types.
 */
export function parseLayoutIndex(bytes: Uint8Array, where: string): LayoutIndex {
  const view = parseManifest(bytes, { where, announced: OCI_INDEX, maxBytes: MAX_ARCHIVE_INDEX_BYTES });
  if (view.kind !== "index") {
    throw new ArchiveError("manifest-shape", `Cannot read index from ${where}: found an image, expected an index`);
  }
  const roots = new Map<Digest, LayoutRoot>();
  for (const descriptor of view.manifests) {
    const root = roots.get(descriptor.digest);
    if (root === undefined) {
      roots.set(descriptor.digest, { descriptor, ...descriptorNames(descriptor) });
      continue;
    }
    if (root.descriptor.size !== descriptor.size || root.descriptor.mediaType !== descriptor.mediaType) {
      throw new ArchiveError(
        "descriptor-conflict",
        `Cannot read index from ${where}: found ${descriptor.digest} with two sizes or media types, expected one`,
      );
    }
    const { tags, ...found } = descriptorNames(descriptor);
    roots.set(descriptor.digest, {
      descriptor: root.descriptor,
      ...uniteNames([root, found]),
      tags: [...new Set([...root.tags, ...tags])],
    });
  }
  return { view, roots: [...roots.values()] };
}

/**
 * The names in the annotations of an entry: containerd's full name, or else `ref.name`, which is a full name if skopeo
 * wrote it (`foo/bar:v1`), else a tag. A tag next to a full name with a digest alone belongs to it.
 */
function descriptorNames({ annotations }: Descriptor): Omit<LayoutRoot, "descriptor"> {
  const imageName = annotations?.[ANNOTATION_IMAGE_NAME];
  const found = manifestNames(imageName === undefined ? [] : [imageName]);
  const refName = annotations?.[ANNOTATION_REF_NAME];
  if (refName === undefined) return { ...found, tags: [] };
  if (found.names.length > 0) return { ...found, names: found.names.map(name => withTag(name, refName)), tags: [] };
  if (isTag(refName)) return { ...found, tags: [refName] };
  return { ...uniteNames([found, manifestNames([refName])]), tags: [] };
}

function withTag(name: string, tag: string): string {
  const reference = parseReference(name);
  return reference.tag === undefined && isTag(tag) ? formatReference({ ...reference, tag }) : name;
}
