import type { Lock } from "../../bundle/lock/lock.ts";
import type { BlobSource } from "../../content/contracts.ts";
import { readBlob } from "../../content/pump.ts";
import { ArchiveError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { MAX_MANIFEST_BYTES } from "../../oci/limits.ts";
import { type ManifestView, manifestChildren, parseManifest } from "../../oci/manifest.ts";
import { isForeignLayerType, isManifestType } from "../../oci/media-types.ts";
import { appendTo } from "../../util/append.ts";

export interface HarmedImages {
  readonly unharmed: readonly string[];
  readonly harmed: readonly string[];
  /** The images that use a blob, as far as manifests say it that are whole. */
  readonly users: ReadonlyMap<Digest, readonly string[]>;
  /** What manifests need, and the lock does not name. */
  readonly unnamed: readonly Descriptor[];
}

/**
 * Which images of a lock are whole, with what refers to them. The manifests say what an image needs: a lock is a claim.
 *
 * @param sources blobs that are whole.
 */
export async function harmedImages(
  lock: Lock,
  sources: ReadonlyMap<Digest, BlobSource>,
  signal: AbortSignal | undefined,
): Promise<HarmedImages> {
  const known = new Set([...lock.blobs, ...(lock.assumes ?? [])].map(({ digest }) => digest));
  const assumed = new Set(lock.assumes?.map(({ digest }) => digest));
  const below = new Map<Digest, readonly Descriptor[]>();
  const childrenOf = async (digest: Digest): Promise<readonly Descriptor[]> => {
    const children = below.get(digest) ?? (await readChildren(digest, sources.get(digest), known, signal));
    below.set(digest, children);
    return children;
  };
  const users = new Map<Digest, string[]>();
  const unharmed: string[] = [];
  const harmed: string[] = [];
  const unnamed = new Map<Digest, Descriptor>();
  for (const { name, digest, written = digest, manifests, referrers } of lock.images) {
    const label = name === "" ? digest : name;
    const used = new Set<Digest>();
    const waiting = [written, ...manifests, ...referrers.map(one => one.digest)];
    for (let manifest = waiting.pop(); manifest !== undefined; manifest = waiting.pop()) {
      used.add(manifest);
      for (const child of await childrenOf(manifest)) {
        if (isManifestType(child.mediaType) && !used.has(child.digest)) waiting.push(child.digest);
        used.add(child.digest);
        if (!known.has(child.digest)) unnamed.set(child.digest, child);
      }
    }
    for (const one of used) appendTo(users, one, label);
    const isWhole = [...used].every(one => sources.has(one) || assumed.has(one));
    (isWhole ? unharmed : harmed).push(label);
  }
  return { unharmed, harmed, users, unnamed: [...unnamed.values()] };
}

/** What a manifest needs. Of a damaged one, no one knows it. @param known what the lock names. */
async function readChildren(
  digest: Digest,
  source: BlobSource | undefined,
  known: ReadonlySet<Digest>,
  signal: AbortSignal | undefined,
): Promise<readonly Descriptor[]> {
  if (source === undefined) return [];
  try {
    const bytes = await readBlob(source, MAX_MANIFEST_BYTES, signal);
    const view = parseManifest(bytes, { where: digest });
    return manifestChildren(view).filter(child => known.has(child.digest) || !mayBeLeftOut(view, child));
  } catch (error) {
    if (error instanceof ArchiveError) return [];
    throw error;
  }
}

/** Platforms of an index, and foreign layers. */
function mayBeLeftOut({ kind }: ManifestView, { mediaType }: Descriptor): boolean {
  return kind === "index" || isForeignLayerType(mediaType);
}
