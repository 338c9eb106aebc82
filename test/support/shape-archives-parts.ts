// The parts that archives built to a documented shape consist of, and what a reader must find in them.
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { Digest } from "../../src/oci/digest.ts";
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from "../../src/oci/media-types.ts";
import { paxEntry, tarArchive, tarEntry } from "./tar-builder.ts";

export interface ShapedImage {
  /** As the archive writes them. */
  readonly names: readonly string[];
  readonly diffIds: readonly Digest[];
  /** Of the config as it lies in the archive; where none does, of the one that docker builds. */
  readonly configDigest: Digest;
  /** Where the archive holds the manifest's own bytes and they are to be kept. */
  readonly manifestDigest?: Digest;
}

export interface ShapeArchive {
  /** The producer, or what is particular. */
  readonly name: string;
  readonly bytes: Buffer;
  /** The images, or what has to be said when the archive is refused. */
  readonly expected: { readonly images: readonly ShapedImage[] } | { readonly refused: RegExp };
}

export interface Part {
  readonly bytes: Buffer;
  readonly hex: string;
  readonly digest: Digest;
}

export interface LayerPart extends Part {
  /** Of the raw tar. */
  readonly diffId: Digest;
}

export function part(content: string | Uint8Array | object): Part {
  const isBytes = typeof content === "string" || content instanceof Uint8Array;
  const bytes = Buffer.from(isBytes ? content : JSON.stringify(content));
  const hex = createHash("sha256").update(bytes).digest("hex");
  return { bytes, hex, digest: `sha256:${hex}` };
}

/** A tar with one file that holds `text`. */
export function rawLayer(text: string): LayerPart {
  const layer = part(tarArchive([tarEntry({ name: "file", body: text })]));
  return { ...layer, diffId: layer.digest };
}

export function gzipLayer(text: string): LayerPart {
  const raw = rawLayer(text);
  return { ...part(gzipSync(raw.bytes, { level: 9 })), diffId: raw.diffId };
}

export function config(layers: readonly { readonly diffId: Digest }[], more: object = {}): Part {
  const rootfs = { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) };
  return part({ architecture: "amd64", os: "linux", config: {}, rootfs, ...more });
}

export function described({ digest, bytes }: Part, mediaType: string, more: object = {}): object {
  return { mediaType, digest, size: bytes.length, ...more };
}

export function manifest(configPart: Part, layers: readonly Part[], layerType: string): Part {
  return part({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: described(configPart, OCI_CONFIG),
    layers: layers.map(layer => described(layer, layerType)),
  });
}

export function index(manifests: readonly object[]): Part {
  return part({ schemaVersion: 2, mediaType: OCI_INDEX, manifests });
}

/** What one image is expected to be. */
export function shaped(
  names: readonly string[],
  configPart: Part,
  layers: readonly { readonly diffId: Digest }[],
): ShapedImage {
  return { names, diffIds: layers.map(({ diffId }) => diffId), configDigest: configPart.digest };
}

/** Regular files in this order; a name that ends in a slash is a folder, one over 100 bytes stands in a PAX record. */
export function filesTar(files: readonly (readonly [name: string, body: string | Uint8Array])[]): Buffer {
  const entries = files.flatMap(([name, body]) => {
    const entry = tarEntry(name.endsWith("/") ? { name, type: "5" } : { name, body });
    return Buffer.byteLength(name) > 100 ? [paxEntry({ path: name }), entry] : [entry];
  });
  return Buffer.from(tarArchive(entries));
}

export function blobPath({ hex }: Part): string {
  return `blobs/sha256/${hex}`;
}
