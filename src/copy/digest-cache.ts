import type { PendingKey, Seal } from "../content/contracts.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import { CacheFile } from "./cache-file.ts";

/** Results of earlier runs: digests of compressed layers, and repositories that have a blob. */
export interface DigestCache {
  /** Digest and size of this raw layer after compression by this profile. */
  find(key: PendingKey): { readonly digest: Digest; readonly size: number } | undefined;
  add(key: PendingKey, seal: Seal): Promise<void>;
  /** Another repository of the registry that had the blob when last seen. */
  findHolder(registry: string, digest: Digest, repository: string): string | undefined;
  addHolder(registry: string, digest: Digest, repository: string): Promise<void>;
}

/** Holders kept per blob; a mount needs one that still has it. */
const MAX_HOLDERS = 4;

type Line = readonly ["layer", PendingKey, Digest, number] | readonly ["holder", string, Digest, string];

/**
 * Opens the cache of a folder. Without an older line, a layer is compressed again.
 *
 * @param folder undefined keeps the cache in memory, for one run.
 * @param onNote is called with a sentence if the files are not those of this user alone; then they are ignored.
 */
export async function openDigestCache(
  folder: string | undefined,
  onNote: (message: string) => void = () => undefined,
): Promise<DigestCache> {
  const layers = new Map<string, { digest: Digest; size: number }>();
  const holders = new Map<string, string[]>();
  const learn = (line: Line): boolean => {
    if (line[0] === "layer") {
      const [, key, digest, size] = line;
      const known = layers.get(key);
      layers.set(key, { digest, size });
      return known?.digest !== digest;
    }
    const [, registry, digest, repository] = line;
    const known = holders.get(`${registry} ${digest}`) ?? [];
    if (known[0] === repository) return false;
    holders.set(
      `${registry} ${digest}`,
      [repository, ...known.filter(name => name !== repository)].slice(0, MAX_HOLDERS),
    );
    return true;
  };
  const file = folder === undefined ? undefined : await CacheFile.open(folder, onNote);
  for (const line of file?.texts.flatMap(text => parseLine(text) ?? []) ?? []) learn(line);
  const remember = async (line: Line): Promise<void> => {
    if (learn(line)) await file?.append(JSON.stringify(line));
  };
  return {
    find: key => layers.get(key),
    add: async (key, { descriptor }) => await remember(["layer", key, descriptor.digest, descriptor.size]),
    findHolder: (registry, digest, repository) =>
      holders.get(`${registry} ${digest}`)?.find(name => name !== repository),
    addHolder: async (registry, digest, repository) => await remember(["holder", registry, digest, repository]),
  };
}

function parseLine(text: string): readonly [Line] | undefined {
  const [kind, name, digest, last] = parseFields(text);
  if (typeof name !== "string" || !isDigest(digest)) return undefined;
  if (kind === "layer" && Number.isSafeInteger(last) && Number(last) > 0)
    return [["layer", name as PendingKey, digest, last as number]];
  if (kind === "holder" && typeof last === "string") return [["holder", name, digest, last]];
  return undefined;
}

function parseFields(text: string): readonly unknown[] {
  try {
    const fields: unknown = JSON.parse(text);
    return Array.isArray(fields) ? fields : [];
  } catch {
    return [];
  }
}
