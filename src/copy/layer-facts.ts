import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import { CacheFile } from "./cache-file.ts";

/** What one reading of a layer that has no digest of its own found out. */
export interface LayerFacts {
  /** Of the layer as stored. */
  readonly stored: Descriptor;
  /** Of the layer as a plain tar. */
  readonly diffId: Digest;
}

/** What is known of layers that only an id names, from this run and earlier ones. */
export interface LayerFactsCache {
  find(key: string): LayerFacts | undefined;
  add(key: string, facts: LayerFacts): Promise<void>;
  /** For facts that have turned out to be those of another layer. */
  forget(key: string): Promise<void>;
}

/** Media types that imgpack writes are shorter. */
const MAX_TYPE_LENGTH = 128;

/**
 * Opens the facts of a folder: lines of their own in the file of the digest cache. Without an older line, a layer is read
 * again.
 *
 * @param folder undefined keeps the facts in memory, for one run.
 * @param onNote is called with a sentence if the files are not those of this user alone; then they are ignored.
 */
export async function openLayerFacts(
  folder: string | undefined,
  onNote: (message: string) => void = () => undefined,
): Promise<LayerFactsCache> {
  const known = new Map<string, LayerFacts>();
  const file = folder === undefined ? undefined : await CacheFile.open(folder, onNote);
  for (const text of file?.texts ?? []) {
    const line = parseLine(text);
    if (line?.facts === undefined) known.delete(line?.key ?? "");
    else known.set(line.key, line.facts);
  }
  return {
    find: key => known.get(key),
    async add(key, facts) {
      const before = known.get(key);
      known.set(key, facts);
      const { stored, diffId } = facts;
      if (before?.stored.digest === stored.digest && before.stored.mediaType === stored.mediaType) return;
      await file?.append(JSON.stringify([KIND, key, stored.digest, stored.size, stored.mediaType, diffId]));
    },
    async forget(key) {
      if (known.delete(key)) await file?.append(JSON.stringify([KIND, key]));
    },
  };
}

const KIND = "v1-layer";

/** Without facts, those of earlier lines are forgotten. */
function parseLine(text: string): { readonly key: string; readonly facts?: LayerFacts } | undefined {
  // Most lines are of another kind.
  if (!text.startsWith(`["${KIND}",`)) return undefined;
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(fields)) return undefined;
  const [, key, digest, size, mediaType, diffId]: readonly unknown[] = fields;
  if (typeof key === "string" && fields.length === 2) return { key };
  if (typeof key !== "string" || typeof mediaType !== "string" || mediaType.length > MAX_TYPE_LENGTH) return undefined;
  if (!isDigest(digest) || !isDigest(diffId) || !Number.isSafeInteger(size) || Number(size) < 0) return undefined;
  return { key, facts: { stored: { digest, size: Number(size), mediaType }, diffId } };
}
