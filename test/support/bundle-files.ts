// Parts of a bundle, made of an archive that imgpack wrote: volumes, deltas, patches. Not by imgpack's own writer, so that
// reading is tested with any split.

import { blobName } from "../../src/archive/blob-name.ts";
import { partName, pieceName } from "../../src/archive/entry-names.ts";
import { openArchive } from "../../src/archive/open-archive.ts";
import { formatLock, LOCK_FILE } from "../../src/bundle/lock/format-lock.ts";
import type { Lock, LockedSet } from "../../src/bundle/lock/lock.ts";
import { parseLock } from "../../src/bundle/lock/parse-lock.ts";
import { formatNeed } from "../../src/bundle/need/format-need.ts";
import { readBlob } from "../../src/content/pump.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { sha256 } from "./memory-registry.ts";
import { tarArchive, tarEntry } from "./tar-builder.ts";

interface IndexEntry {
  readonly digest: Digest;
}

export interface Bundle {
  readonly lock: Lock;
  readonly blobs: ReadonlyMap<Digest, Buffer>;
  /** Entries of `index.json`. */
  readonly roots: readonly IndexEntry[];
}

/** Where the bytes of each blob go: a volume, or the volumes of its parts with the size of each but the last. */
export type Places = ReadonlyMap<Digest, number | readonly (readonly [volume: number, bytes?: number])[]>;

export async function readBundle(path: string): Promise<Bundle> {
  await using source = await openArchive(path);
  const { archive } = source;
  const files = new Map<string, Buffer>();
  for (const [name, entry] of archive.entries)
    if (entry.type === "file") files.set(name, Buffer.from(await readBlob(archive.slice(entry), entry.size)));
  const file = (name: string): Buffer => files.get(name) ?? Buffer.alloc(0);
  const lock = parseLock(file(LOCK_FILE), { where: path });
  const index = JSON.parse(file("index.json").toString("utf8")) as { readonly manifests: readonly IndexEntry[] };
  return {
    lock,
    blobs: new Map(lock.blobs.map(({ digest }) => [digest, file(blobName(digest))])),
    roots: index.manifests,
  };
}

/** The volumes of a bundle, by number. */
export function volumesOf(bundle: Bundle, of: number, places: Places): readonly Uint8Array[] {
  const { lock, blobs } = bundle;
  const where = lock.blobs.map(({ digest }): LockedSet["where"][number] => {
    const place = places.get(digest) ?? 1;
    return typeof place === "number" ? place : place.map(([volume]) => volume);
  });
  const id = sha256(Buffer.from(JSON.stringify([lock.id, of, where])));
  return Array.from({ length: of }, (_, index) => {
    const number = index + 1;
    const own = [...blobs].filter(([digest]) => (places.get(digest) ?? 1) === number);
    const parts = [...blobs].flatMap(([digest, bytes]) => partsOf(digest, bytes, places.get(digest), number));
    const set = { id, number, of, where };
    return archiveOf(bundle, formatLock({ ...lock, set }), new Map(own), parts);
  });
}

/** The bundle without some of its layers. */
export function deltaOf(bundle: Bundle, assumed: ReadonlySet<Digest>, bases: readonly Digest[]): Uint8Array {
  const { id: _, ...lock } = bundle.lock;
  const assumes = lock.blobs.flatMap(({ digest, size, repositories }) =>
    assumed.has(digest) ? [{ digest, size, repositories }] : [],
  );
  const blobs = new Map([...bundle.blobs].filter(([digest]) => !assumed.has(digest)));
  const text = formatLock({ ...lock, blobs: lock.blobs.filter(({ digest }) => !assumed.has(digest)), assumes, bases });
  return archiveOf(bundle, text, blobs, [], bundle.roots);
}

/** @param pieces first byte and bytes of each. */
export function patchOf(
  of: Digest,
  whole: readonly (readonly [Digest, Uint8Array])[],
  pieces: readonly (readonly [Digest, number, Uint8Array])[] = [],
): Uint8Array {
  const need = formatNeed({ of, volumes: [], images: [], blobs: [] });
  return tarArchive([
    tarEntry({ name: LOCK_FILE, body: need }),
    ...whole.map(([digest, body]) => tarEntry({ name: blobName(digest), body })),
    ...pieces.map(([digest, from, body]) => tarEntry({ name: pieceName(digest, from), body })),
  ]);
}

function partsOf(digest: Digest, bytes: Buffer, place: unknown, volume: number): readonly Uint8Array[] {
  if (!Array.isArray(place)) return [];
  let from = 0;
  return (place as readonly (readonly [number, number?])[]).flatMap(([own, size = bytes.length - from], index) => {
    const body = bytes.subarray(from, from + size);
    from += size;
    return own === volume ? [tarEntry({ name: partName(digest, index + 1), body })] : [];
  });
}

export function archiveOf(
  bundle: Bundle,
  lock: string,
  blobs: ReadonlyMap<Digest, Buffer>,
  parts: readonly Uint8Array[],
  roots: readonly IndexEntry[] = bundle.roots.filter(({ digest }) => isWhole(digest, bundle, blobs)),
): Uint8Array {
  return tarArchive([
    tarEntry({ name: "oci-layout", body: '{"imageLayoutVersion":"1.0.0"}' }),
    tarEntry({ name: "index.json", body: JSON.stringify({ schemaVersion: 2, manifests: roots }) }),
    tarEntry({ name: LOCK_FILE, body: lock }),
    ...[...blobs].map(([digest, body]) => tarEntry({ name: blobName(digest), body })),
    ...parts,
  ]);
}

/** Whether everything of the bundle that a manifest leads to is in a volume. */
function isWhole(digest: Digest, bundle: Bundle, own: ReadonlyMap<Digest, Buffer>): boolean {
  const bytes = bundle.blobs.get(digest);
  if (bytes === undefined) return true;
  if (!own.has(digest)) return false;
  if (bundle.lock.blobs.find(blob => blob.digest === digest)?.kind !== "manifest") return true;
  const {
    config,
    layers = [],
    manifests = [],
  } = JSON.parse(bytes.toString("utf8")) as {
    readonly config?: IndexEntry;
    readonly layers?: readonly IndexEntry[];
    readonly manifests?: readonly IndexEntry[];
  };
  return [...(config === undefined ? [] : [config]), ...layers, ...manifests].every(child =>
    isWhole(child.digest, bundle, own),
  );
}
