// OCI layouts with any images, as tars, with sums of any piece size.
import { blobName } from "../../src/archive/blob-name.ts";
import { SUMS_FILE } from "../../src/archive/entry-names.ts";
import { formatSums } from "../../src/bundle/sums/format-sums.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_LAYER_GZIP, OCI_MANIFEST } from "../../src/oci/media-types.ts";
import { parseReference } from "../../src/oci/reference.ts";
import { configOf } from "./images.ts";
import { sha256 } from "./memory-registry.ts";
import { tarArchive, tarEntry } from "./tar-builder.ts";

export interface LayoutImage {
  /** Full names. */
  readonly names: readonly string[];
  readonly layers: readonly Uint8Array[];
  /** What they inflate to, if they are gzip. */
  readonly inflated?: readonly Uint8Array[] | undefined;
  /** More fields of the manifest. */
  readonly more?: object | undefined;
}

export interface LayoutArchive {
  readonly bytes: Uint8Array;
  readonly blobs: ReadonlyMap<Digest, Uint8Array>;
  /** Digests of the manifests, in the order of the images. */
  readonly manifests: readonly Digest[];
  /** Where the bytes of each blob begin in the tar. */
  readonly offsets: ReadonlyMap<Digest, number>;
}

/** @param pieceBytes of the sums; no sums without it. */
export function layoutArchive(images: readonly LayoutImage[], pieceBytes?: number): LayoutArchive {
  const blobs = new Map<Digest, Uint8Array>();
  const put = (mediaType: string, bytes: Uint8Array): { mediaType: string; digest: Digest; size: number } => {
    blobs.set(sha256(bytes), bytes);
    return { mediaType, digest: sha256(bytes), size: bytes.length };
  };
  const described = images.map(({ names, layers, inflated, more = {} }) => {
    const config = put(OCI_CONFIG, Buffer.from(configOf(inflated ?? layers)));
    const manifest = {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config,
      layers: layers.map(layer => put(inflated === undefined ? OCI_LAYER : OCI_LAYER_GZIP, layer)),
      ...more,
    };
    return { names, descriptor: put(OCI_MANIFEST, Buffer.from(JSON.stringify(manifest))) };
  });
  const entries = described.flatMap(({ names, descriptor }) =>
    names.length === 0 ? [descriptor] : names.map(name => ({ ...descriptor, annotations: annotationsOf(name) })),
  );
  const index = JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: entries });
  const named = [...blobs].map(([digest, body]) => ({ digest, entry: tarEntry({ name: blobName(digest), body }) }));
  const head = [
    tarEntry({ name: "oci-layout", body: '{"imageLayoutVersion":"1.0.0"}' }),
    tarEntry({ name: "index.json", body: index }),
  ];
  const offsets = new Map<Digest, number>();
  let at = head.reduce((sum, entry) => sum + entry.length, 0);
  for (const { digest, entry } of named) {
    offsets.set(digest, at + 512);
    at += entry.length;
  }
  const tail = pieceBytes === undefined ? [] : [tarEntry({ name: SUMS_FILE, body: sumsOf(blobs, pieceBytes) })];
  return {
    bytes: tarArchive([...head, ...named.map(({ entry }) => entry), ...tail]),
    blobs,
    manifests: described.map(({ descriptor }) => descriptor.digest),
    offsets,
  };
}

function annotationsOf(name: string): object {
  const { tag } = parseReference(name);
  return {
    "io.containerd.image.name": name,
    ...(tag === undefined ? {} : { "org.opencontainers.image.ref.name": tag }),
  };
}

function sumsOf(blobs: ReadonlyMap<Digest, Uint8Array>, pieceBytes: number): string {
  const rows = [...blobs].flatMap(([digest, bytes]) => {
    if (bytes.length <= pieceBytes) return [];
    const pieces = Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, piece) =>
      sha256(bytes.subarray(piece * pieceBytes, (piece + 1) * pieceBytes)).slice("sha256:".length),
    );
    return [{ digest, size: bytes.length, pieces }];
  });
  return formatSums({ pieceBytes, files: [], blobs: rows });
}
