// Archives of any size that take no room on the disk: layers of zeros in holes of the file, with their true digests.
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { plannedArchive } from "../../../src/archive/write/planned-archive.ts";
import { PIECE_BYTES } from "../../../src/bundle/need/parse-need.ts";
import type { Root } from "../../../src/content/contracts.ts";
import { readBlob } from "../../../src/content/pump.ts";
import { gather } from "../../../src/copy/gather.ts";
import type { Descriptor } from "../../../src/oci/descriptor.ts";
import type { Digest } from "../../../src/oci/digest.ts";
import { MAX_CONFIG_BYTES } from "../../../src/oci/limits.ts";
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from "../../../src/oci/media-types.ts";
import { encodeSlotHeader } from "../../../src/tar/tar-plan.ts";
import { memorySource } from "../memory-image.ts";

export interface SparseShape {
  readonly images: number;
  /** Layers that each four images have in common. */
  readonly baseLayers: number;
  readonly ownLayers: number;
  /** Bytes of the smallest layer. Each other one is some bytes larger than the one before it, so that all differ. */
  readonly layerBytes: number;
}

export interface SparseArchive {
  /** Of the file. */
  readonly bytes: number;
  /** Blobs, manifests among them. */
  readonly blobs: number;
  readonly layerBytes: number;
}

const IMAGES_OF_A_BASE = 4;
const STEP_BYTES = 512;
/** What is closer together goes into one write. */
const GAP_BYTES = 64 * 1024;
const WRITE_BYTES = 4 * 1024 * 1024;

/** 20,000 blobs for 1,000 images, as real ones have. */
export const manyBlobs = (images: number): SparseShape => ({ images, baseLayers: 8, ownLayers: 16, layerBytes: 1 });
/** Five or six blobs for each image. */
export const fewBlobs = (images: number): SparseShape => ({ images, baseLayers: 2, ownLayers: 3, layerBytes: 1 });
/** Layers of 100 MB, and a little more. @param gigabytes of all of them together, about */
export const largeLayers = (gigabytes: number): SparseShape => ({
  images: gigabytes,
  baseLayers: 0,
  ownLayers: 10,
  layerBytes: 100_000_000,
});

/** Writes an archive as imgpack writes it, with lock and sums. The same shape gives the same bytes. */
export async function writeSparseArchive(path: string, shape: SparseShape): Promise<SparseArchive> {
  const source = memorySource();
  const layers = zeroLayers(shape);
  const bases = Math.ceil(shape.images / IMAGES_OF_A_BASE);
  const roots = Array.from({ length: shape.images }, (_, image): Root => {
    const base = Math.floor(image / IMAGES_OF_A_BASE) * shape.baseLayers;
    const own = bases * shape.baseLayers + image * shape.ownLayers;
    const chosen = [...layers.slice(base, base + shape.baseLayers), ...layers.slice(own, own + shape.ownLayers)];
    const config = source.add(OCI_CONFIG, configOf(image, chosen));
    const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: chosen };
    return { kind: "settled", names: [sparseName(image)], descriptor: source.add(OCI_MANIFEST, manifest) };
  });
  const plan = await gather(source, roots);
  const platform = { os: "linux", architecture: "amd64" };
  const { contents, tar } = plannedArchive(plan, { platform });
  const configs = new Map(plan.blobs.filter(({ mediaType }) => mediaType === OCI_CONFIG).map(one => [one.digest, one]));
  const sizes = new Map(plan.blobs.map(({ digest, size }) => [digest, size]));
  const pieces = zeroPieces(
    new Map([...(contents.sums?.digests ?? [])].map(digest => [digest, sizes.get(digest) ?? 0])),
  );
  await using file = await open(path, "w");
  await file.truncate(tar.totalBytes);
  const parts: Part[] = [];
  for (const { name, bytes, digest } of contents.files) {
    const slot = tar.slots.get(name);
    if (slot === undefined) continue;
    const config = digest === undefined ? undefined : configs.get(digest);
    const body = config === undefined ? bytes : await readBlob(await source.blob(config), MAX_CONFIG_BYTES);
    parts.push({ at: slot.headerOffset, bytes: encodeSlotHeader(slot) });
    if (body !== undefined) parts.push({ at: slot.bodyOffset, bytes: body });
    else if (digest === undefined) parts.push({ at: slot.bodyOffset, bytes: contents.sums?.bytes(pieces) ?? EMPTY });
  }
  for (const { at, bytes } of joinedParts(parts)) await file.write(bytes, 0, bytes.length, at);
  const layerBytes = layers.reduce((sum, { size }) => sum + size, 0);
  return { bytes: tar.totalBytes, blobs: plan.blobs.length + plan.manifests.size, layerBytes };
}

const EMPTY = new Uint8Array(0);

interface Part {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** Parts that are close to each other as one, with zeros between them. @param parts in the order of the file. */
function* joinedParts(parts: readonly Part[]): Generator<Part> {
  let group: Part[] = [];
  const endOf = ({ at, bytes }: Part): number => at + bytes.length;
  const joined = (): Part[] => {
    const [first, last] = [group[0], group.at(-1)];
    if (first === undefined || last === undefined) return [];
    const bytes = new Uint8Array(endOf(last) - first.at);
    for (const part of group) bytes.set(part.bytes, part.at - first.at);
    return [{ at: first.at, bytes }];
  };
  for (const part of parts) {
    const [first, last] = [group[0], group.at(-1)];
    const isFar = last !== undefined && part.at - endOf(last) > GAP_BYTES;
    if (isFar || (first !== undefined && part.at - first.at > WRITE_BYTES)) {
      yield* joined();
      group = [];
    }
    group.push(part);
  }
  yield* joined();
}

export function sparseName(image: number): string {
  return `registry.lan/team-${image % 10}/app-${String(image).padStart(5, "0")}:1.0`;
}

function zeroLayers({ images, baseLayers, ownLayers, layerBytes }: SparseShape): readonly Descriptor[] {
  const count = Math.ceil(images / IMAGES_OF_A_BASE) * baseLayers + images * ownLayers;
  const step = Math.min(layerBytes, STEP_BYTES);
  const sizes = Array.from({ length: count }, (_, index) => layerBytes + index * step);
  const digests = zeroDigests(sizes);
  return sizes.map(size => ({ mediaType: OCI_LAYER, digest: `sha256:${digests.get(size) ?? ""}`, size }));
}

/** Digests of so many zeros, in hex: of all sizes in one pass. */
function zeroDigests(sizes: Iterable<number>): ReadonlyMap<number, string> {
  const hash = createHash("sha256");
  const zeros = new Uint8Array(PIECE_BYTES);
  let hashed = 0;
  const digests = new Map<number, string>();
  for (const size of [...new Set(sizes)].sort((left, right) => left - right)) {
    for (; hashed < size; hashed += Math.min(zeros.length, size - hashed))
      hash.update(zeros.subarray(0, Math.min(zeros.length, size - hashed)));
    digests.set(size, hash.copy().digest("hex"));
  }
  return digests;
}

/** Hashes of the pieces of blobs of zeros. @param sizes in bytes */
function zeroPieces(sizes: ReadonlyMap<Digest, number>): ReadonlyMap<Digest, readonly string[]> {
  const bytesOf = (size: number): readonly number[] =>
    Array.from({ length: Math.ceil(size / PIECE_BYTES) }, (_, piece) =>
      Math.min(PIECE_BYTES, size - piece * PIECE_BYTES),
    );
  const digests = zeroDigests([...sizes.values()].flatMap(bytesOf));
  return new Map([...sizes].map(([digest, size]) => [digest, bytesOf(size).map(bytes => digests.get(bytes) ?? "")]));
}

function configOf(image: number, layers: readonly Descriptor[]): object {
  const created = "2026-01-01T00:00:00Z";
  return {
    architecture: "amd64",
    os: "linux",
    created,
    config: { Cmd: ["/app"], Env: ["PATH=/usr/bin:/bin"], Labels: { number: `${image}` } },
    rootfs: { type: "layers", diff_ids: layers.map(({ digest }) => digest) },
    history: layers.map((_, layer) => ({ created, created_by: `COPY part-${layer} /app # buildkit` })),
  };
}
