import { ArchiveError } from "../errors.ts";
import { parseJson } from "../util/json/json.ts";
import { ANY, fixedFields } from "../util/json/json-shape.ts";
import { checkSchema, fields, string } from "../util/json/schema.ts";
import { ANNOTATION_IMAGE_NAME, ANNOTATION_REF_NAME } from "./annotations.ts";
import type { Descriptor } from "./descriptor.ts";
import type { Digest } from "./digest.ts";
import { MAX_ARCHIVE_INDEX_BYTES, MAX_LAYOUT_HEADER_BYTES } from "./limits.ts";
import { type IndexView, parseManifest } from "./manifest.ts";
import { OCI_INDEX } from "./media-types.ts";
import { formatReference, isTag, parseReference, resolveDockerHub } from "./reference.ts";

export const LAYOUT_FILE = "oci-layout";
export const INDEX_FILE = "index.json";
/** The content of `oci-layout`, byte for byte as containerd writes it. */
export const LAYOUT_HEADER = '{"imageLayoutVersion":"1.0.0"}';

/** An entry of `index.json`; entries with the same digest are one root. */
export interface LayoutRoot {
  readonly descriptor: Descriptor;
  /** Full names with a tag, such as `docker.io/library/hello:latest`. */
  readonly names: readonly string[];
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
 * Reads the `index.json` of a layout, at most 20 MiB. Its blobs can be absent (image-spec image-layout.md). Names that are
 * not references are ignored: a name in an archive is only a proposal.
 *
 * @throws ArchiveError as `parseManifest`; "descriptor-conflict" if a digest occurs with two sizes or media types.
 */
export function parseLayoutIndex(bytes: Uint8Array, where: string): LayoutIndex {
  const view = parseManifest(bytes, { where, announced: OCI_INDEX, maxBytes: MAX_ARCHIVE_INDEX_BYTES });
  if (view.kind !== "index") {
    throw new ArchiveError("manifest-shape", `Cannot read index from ${where}: found an image, expected an index`);
  }
  const roots = new Map<Digest, { descriptor: Descriptor; names: Set<string>; tags: Set<string> }>();
  for (const descriptor of view.manifests) {
    const root = roots.get(descriptor.digest) ?? { descriptor, names: new Set(), tags: new Set() };
    if (root.descriptor.size !== descriptor.size || root.descriptor.mediaType !== descriptor.mediaType) {
      throw new ArchiveError(
        "descriptor-conflict",
        `Cannot read index from ${where}: found ${descriptor.digest} with two sizes or media types, expected one`,
      );
    }
    roots.set(descriptor.digest, root);
    const { name, tag } = descriptorName(descriptor);
    if (name !== undefined) root.names.add(name);
    if (tag !== undefined) root.tags.add(tag);
  }
  return {
    view,
    roots: [...roots.values()].map(({ descriptor, names, tags }) => ({
      descriptor,
      names: [...names],
      tags: [...tags],
    })),
  };
}

/**
 * The name in the annotations of an entry: containerd's full name, or `ref.name`, which is a full name if skopeo wrote it
 * (`foo/bar:v1`), else a tag.
 */
export function descriptorName(descriptor: Descriptor): { readonly name?: string; readonly tag?: string } {
  const imageName = readName(descriptor.annotations?.[ANNOTATION_IMAGE_NAME]);
  if (imageName !== undefined) return { name: imageName };
  const refName = descriptor.annotations?.[ANNOTATION_REF_NAME];
  if (refName !== undefined && isTag(refName)) return { tag: refName };
  const name = readName(refName);
  return name === undefined ? {} : { name };
}

/** containerd also writes `repository@digest` and names that are not references: neither has a tag. */
function readName(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    const { digest, ...rest } = parseReference(text);
    if (digest !== undefined && rest.tag === undefined) return undefined;
    return formatReference(resolveDockerHub(rest));
  } catch {
    return undefined;
  }
}
