import { ArchiveError } from "../errors.ts";
import { quote } from "../util/format.ts";
import { parseJson } from "../util/json/json.ts";
import { ANY, fixedFields, INTEGER, type JsonShape, listOf, mapOf } from "../util/json/json-shape.ts";
import { array, checkSchema, fields, nullish, rule, string } from "../util/json/schema.ts";
import type { Descriptor } from "./descriptor.ts";
import { annotationsSchema, DESCRIPTOR_SHAPE, descriptorSchema } from "./descriptor-schema.ts";
import { MAX_MANIFEST_BYTES } from "./limits.ts";
import {
  isImageManifestType,
  isIndexType,
  isSchema1Type,
  mayBeManifestType,
  OCI_ARTIFACT_MANIFEST,
  OCI_INDEX,
  OCI_MANIFEST,
} from "./media-types.ts";

/** The raw bytes are the manifest. A view is for reading only and is never serialised again. */
export interface RawManifest {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

interface CommonView {
  readonly mediaType: string;
  /** The manifest that this one refers to, such as the image of a signature; it can be absent. */
  readonly subject?: Descriptor;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface ImageView extends CommonView {
  readonly kind: "image";
  readonly config: Descriptor;
  /** Base first. */
  readonly layers: readonly Descriptor[];
}

export interface IndexView extends CommonView {
  readonly kind: "index";
  readonly manifests: readonly Descriptor[];
}

/** A manifest of another type: an artifact manifest, or one that is carried without being understood. */
export interface OtherView extends CommonView {
  readonly kind: "other";
  /** Of an artifact manifest; what another type refers to is not known. */
  readonly blobs: readonly Descriptor[];
}

export type ManifestView = ImageView | IndexView | OtherView;

export interface ParseManifestOptions {
  /** Media type in the Content-Type header (parameters are ignored) or in the descriptor. */
  readonly announced?: string;
  /** Where it comes from, for messages; foreign names are quoted already. */
  readonly where: string;
  /** Default 4 MiB: what registries must accept, and the limit of other readers. */
  readonly maxBytes?: number;
}

const MANIFEST_SHAPE: JsonShape = fixedFields({
  schemaVersion: INTEGER,
  mediaType: ANY,
  artifactType: ANY,
  config: DESCRIPTOR_SHAPE,
  layers: listOf(DESCRIPTOR_SHAPE),
  manifests: listOf(DESCRIPTOR_SHAPE),
  blobs: listOf(DESCRIPTOR_SHAPE),
  subject: DESCRIPTOR_SHAPE,
  annotations: mapOf(ANY),
  fsLayers: ANY,
  history: ANY,
  signatures: ANY,
});

const optional = {
  mediaType: nullish(string()),
  artifactType: nullish(string()),
  subject: nullish(descriptorSchema),
  annotations: nullish(annotationsSchema),
};
const common = {
  ...optional,
  schemaVersion: rule("manifest-version", "2", (value): value is 2 => value === 2),
};
// Go writes an empty list as null.
const imageSchema = fields({ ...common, config: descriptorSchema, layers: nullish(array(descriptorSchema)) });
const indexSchema = fields({ ...common, manifests: nullish(array(descriptorSchema)) });
const artifactSchema = fields({ ...optional, blobs: nullish(array(descriptorSchema)) });
const labelSchema = fields({ mediaType: nullish(string()) });

/**
 * Reads an image manifest or an index, of Docker or OCI. Its fields decide which of them it is, and all media types must
 * agree with that (CVE-2021-41190): a document never has two meanings. One that has the fields of neither, and names
 * its own type, is carried as it is.
 *
 * @throws ArchiveError "manifest-shape", "manifest-media-type", "manifest-schema1", "bad-digest", or a json-… reason.
 */
export function parseManifest(bytes: Uint8Array, options: ParseManifestOptions): ManifestView {
  const { where, maxBytes = MAX_MANIFEST_BYTES } = options;
  const value = parseJson(bytes, { what: "manifest", where, maxBytes, shape: MANIFEST_SHAPE });
  const { mediaType: label } = checkSchema(labelSchema, value, "manifest", where);
  const announced = options.announced?.split(";", 1)[0]?.trim().toLowerCase() || undefined;
  const keys = Object.keys(Object(value));
  if (isOther(keys, label, announced)) return otherView(value, label ?? "", where);
  const kind = manifestKind(keys, [announced, label], where);
  const mediaType = agreedType(kind, announced, label || undefined, where);
  if (kind === "image") {
    const { config: described, layers, ...rest } = checkSchema(imageSchema, value, "manifest", where);
    // Docker 25.0 and 26.0.0 add a platform to the config descriptor, where it has no meaning.
    const { platform: _, ...config } = described;
    return { kind, ...commonView(mediaType, rest), config, layers: layers ?? [] };
  }
  const { manifests, ...rest } = checkSchema(indexSchema, value, "index", where);
  return { kind, ...commonView(mediaType, rest), manifests: manifests ?? [] };
}

/** The content that this manifest needs: config and layers, or the manifests of an index. */
export function manifestChildren(view: ManifestView): readonly Descriptor[] {
  if (view.kind === "image") return [view.config, ...view.layers];
  return view.kind === "index" ? view.manifests : view.blobs;
}

const FIELDS_OF_KNOWN_TYPES: ReadonlySet<string> = new Set(["config", "layers", "manifests", "fsLayers"]);

/** Whether a document is of another type than images and indexes, as it says itself and its source announces. */
function isOther(keys: readonly string[], label: string | null | undefined, announced: string | undefined): boolean {
  if (!label || !mayBeManifestType(label) || keys.some(key => FIELDS_OF_KNOWN_TYPES.has(key))) return false;
  if (isImageManifestType(label) || isIndexType(label) || isSchema1Type(label)) return false;
  return announced === undefined || announced === label.toLowerCase();
}

/** What a type refers to is known of artifact manifests only (image-spec 1.1.0-rc2, artifact.md). */
function otherView(value: unknown, mediaType: string, where: string): OtherView {
  if (mediaType !== OCI_ARTIFACT_MANIFEST) return { kind: "other", mediaType, blobs: [] };
  const { blobs, ...rest } = checkSchema(artifactSchema, value, "manifest", where);
  return { kind: "other", ...commonView(mediaType, rest), blobs: blobs ?? [] };
}

function manifestKind(
  keys: readonly string[],
  labels: readonly (string | null | undefined)[],
  where: string,
): "image" | "index" {
  const present = new Set(keys);
  if (present.has("fsLayers") || labels.some(label => typeof label === "string" && isSchema1Type(label))) {
    throw new ArchiveError(
      "manifest-schema1",
      `Cannot read manifest from ${where}: found schema 1, expected schema 2 or OCI`,
      {
        hint: 'Copy it between registries with "imgpack copy", which converts it to schema 2, or rebuild the image.',
      },
    );
  }
  const image = present.has("config") || present.has("layers");
  const index = present.has("manifests");
  if (image === index || present.has("history") || present.has("signatures")) {
    throw new ArchiveError(
      "manifest-shape",
      `Cannot read manifest from ${where}: found ${image && index ? "image and index in one" : "another document"}, ` +
        'expected either "config" and "layers" or "manifests"',
    );
  }
  return image ? "image" : "index";
}

function agreedType(
  kind: "image" | "index",
  announced: string | undefined,
  label: string | undefined,
  where: string,
): string {
  const isRight = kind === "image" ? isImageManifestType : isIndexType;
  for (const claim of [label, announced]) {
    if (claim !== undefined && !isRight(claim)) throw typeFault(where, claim, `the media type of an ${kind}`);
  }
  if (label !== undefined && announced !== undefined && label !== announced) {
    throw typeFault(where, label, `${announced}, as announced`);
  }
  return label ?? announced ?? (kind === "image" ? OCI_MANIFEST : OCI_INDEX);
}

function typeFault(where: string, claim: string, expected: string): ArchiveError {
  return new ArchiveError(
    "manifest-media-type",
    `Cannot read manifest from ${where}: found media type ${quote(claim)}, expected ${expected}`,
  );
}

interface CommonFields {
  readonly subject?: Descriptor | null | undefined;
  readonly artifactType?: string | null | undefined;
  readonly annotations?: Readonly<Record<string, string>> | null | undefined;
}

function commonView(mediaType: string, { subject, artifactType, annotations }: CommonFields): CommonView {
  return {
    mediaType,
    ...(subject ? { subject } : {}),
    ...(artifactType ? { artifactType } : {}),
    ...(annotations ? { annotations } : {}),
  };
}
