// Manifests that refer to others, as cosign, notation and oras push them.
import { type MemoryRegistry, sha256 } from "./memory-registry.ts";

const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const OCI_INDEX = "application/vnd.oci.image.index.v1+json";

export interface ReferrerParts {
  /** Digest of the manifest that it says it refers to. */
  readonly subject?: string;
  readonly artifactType?: string;
  /** What its one layer contains; makes it different from others. */
  readonly text?: string;
  /** Takes the place of `text`. */
  readonly layer?: Buffer;
  readonly layerType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly layerAnnotations?: Readonly<Record<string, string>>;
  /** In the registry. */
  readonly tag?: string;
}

export interface PutReferrer {
  readonly digest: `sha256:${string}`;
  readonly bytes: Buffer;
  readonly layer: Buffer;
  readonly descriptor: { readonly mediaType: string; readonly digest: string; readonly size: number };
}

/** Puts a referrer and its blobs into a registry. */
export function putReferrer(content: MemoryRegistry, repository: string, parts: ReferrerParts): PutReferrer {
  const { subject, artifactType, text = "signature", layerType = "application/octet-stream" } = parts;
  const layer = parts.layer ?? Buffer.from(`${text} of ${subject ?? parts.tag}`);
  const config = Buffer.from("{}");
  const describe = (mediaType: string, bytes: Buffer): object => ({
    mediaType,
    digest: content.addBlob(bytes),
    size: bytes.length,
  });
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    ...(artifactType === undefined ? {} : { artifactType }),
    config: describe("application/vnd.oci.empty.v1+json", config),
    layers: [{ ...describe(layerType, layer), annotations: parts.layerAnnotations }],
    ...(subject === undefined ? {} : { subject: { mediaType: OCI_MANIFEST, digest: subject, size: 1 } }),
    ...(parts.annotations === undefined ? {} : { annotations: parts.annotations }),
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const digest = sha256(bytes);
  content.addManifest(parts.tag === undefined ? digest : `${repository}:${parts.tag}`, OCI_MANIFEST, bytes);
  return { digest, bytes, layer, descriptor: { mediaType: OCI_MANIFEST, digest, size: bytes.length } };
}

/** Puts an index, such as the one that replaces the referrers API. */
export function putIndex(content: MemoryRegistry, name: string, manifests: readonly object[]): `sha256:${string}` {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }));
  return content.addManifest(name, OCI_INDEX, bytes) as `sha256:${string}`;
}

/** `sha256:abc…` → `sha256-abc…` */
export function tagOf(digest: string, suffix = ""): string {
  return `${digest.replace(":", "-")}${suffix}`;
}
