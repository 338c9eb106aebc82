import type { Lock } from "../../bundle/lock/lock.ts";
import type { BlobSource } from "../../content/contracts.ts";
import { readBlob } from "../../content/pump.ts";
import { ArchiveError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { MAX_MANIFEST_BYTES } from "../../oci/limits.ts";
import { manifestChildren, parseManifest } from "../../oci/manifest.ts";
import { appendTo } from "../../util/append.ts";

export interface HarmedImages {
  readonly unharmed: readonly string[];
  readonly harmed: readonly string[];
  /** The images that use a blob, as far as manifests say it that are whole. */
  readonly users: ReadonlyMap<Digest, readonly string[]>;
}

/** Which images of a lock are whole, with what refers to them. @param sources blobs that are. */
export async function harmedImages(
  lock: Lock,
  sources: ReadonlyMap<Digest, BlobSource>,
  signal: AbortSignal | undefined,
): Promise<HarmedImages> {
  const assumed = new Set(lock.assumes?.map(({ digest }) => digest));
  const known = new Set(lock.blobs.map(({ digest }) => digest));
  const below = new Map<Digest, readonly Digest[]>();
  const childrenOf = async (digest: Digest): Promise<readonly Digest[]> => {
    const found = below.get(digest);
    if (found !== undefined) return found;
    const children = await readChildren(digest, sources.get(digest), signal);
    // Others are left out on purpose: platforms, foreign layers.
    const carried = children.filter(child => known.has(child));
    below.set(digest, carried);
    return carried;
  };
  const users = new Map<Digest, string[]>();
  const unharmed: string[] = [];
  const harmed: string[] = [];
  for (const { name, digest, manifests, referrers } of lock.images) {
    const label = name === "" ? digest : name;
    const used = new Set<Digest>();
    for (const manifest of [...manifests, ...referrers.map(one => one.digest)]) {
      used.add(manifest);
      for (const child of await childrenOf(manifest)) used.add(child);
    }
    for (const one of used) appendTo(users, one, label);
    const isWhole = [...used].every(one => sources.has(one) || assumed.has(one));
    (isWhole ? unharmed : harmed).push(label);
  }
  return { unharmed, harmed, users };
}

/** Of a damaged manifest, no one knows them. */
async function readChildren(
  digest: Digest,
  source: BlobSource | undefined,
  signal: AbortSignal | undefined,
): Promise<readonly Digest[]> {
  if (source === undefined) return [];
  try {
    const bytes = await readBlob(source, MAX_MANIFEST_BYTES, signal);
    return manifestChildren(parseManifest(bytes, { where: digest })).map(child => child.digest);
  } catch (error) {
    if (error instanceof ArchiveError) return [];
    throw error;
  }
}
