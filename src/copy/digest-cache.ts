import { open } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { PendingKey, Seal } from "../content/contracts.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import { makeFolder, openForAppend } from "../util/disk.ts";

/** Results of earlier runs: digests of compressed layers, and repositories that have a blob. */
export interface DigestCache {
  /** Digest and size of this raw layer after compression by this gzip profile. */
  find(key: PendingKey): { readonly digest: Digest; readonly size: number } | undefined;
  add(key: PendingKey, seal: Seal): Promise<void>;
  /** Another repository of the registry that had the blob when last seen. */
  findHolder(registry: string, digest: Digest, repository: string): string | undefined;
  addHolder(registry: string, digest: Digest, repository: string): Promise<void>;
}

const FILE = "digests-v1.jsonl";
/** Only the newest part of the file is read; without an older line, a layer is compressed again. */
const MAX_READ_BYTES = 32 * 1024 * 1024;
/** Holders kept per blob; a mount needs one that still has it. */
const MAX_HOLDERS = 4;

type Line = readonly ["layer", PendingKey, Digest, number] | readonly ["holder", string, Digest, string];

/**
 * Opens the cache of a folder. The file is only appended to, a line per write, so that parallel runs can share it; each
 * line has a checksum, so that a torn or damaged one is skipped.
 *
 * @param folder undefined keeps the cache in memory, for one run.
 */
export async function openDigestCache(folder: string | undefined): Promise<DigestCache> {
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
  const file = folder === undefined ? undefined : join(folder, FILE);
  const text = file === undefined ? "" : await readNewest(file);
  for (const line of text.split("\n").flatMap(line => parseLine(line) ?? [])) learn(line);
  // A killed run may have left half a line, which must not damage the next one.
  let lead = text === "" || text.endsWith("\n") ? "" : "\n";
  let isFolderMade = false;
  const remember = async (line: Line): Promise<void> => {
    if (!learn(line) || folder === undefined || file === undefined) return;
    try {
      if (!isFolderMade) await makeFolder(folder, { recursive: true, mode: 0o700 });
      isFolderMade = true;
      const text = JSON.stringify(line);
      const written = `${lead}${checksum(text)} ${text}\n`;
      lead = "";
      await using end = await openForAppend(file, 0o600);
      await end.write(Buffer.from(written));
    } catch {
      // If the cache cannot be written, a later push takes longer.
      lead = "\n";
    }
  };
  return {
    find: key => layers.get(key),
    add: async (key, { descriptor }) => await remember(["layer", key, descriptor.digest, descriptor.size]),
    findHolder: (registry, digest, repository) =>
      holders.get(`${registry} ${digest}`)?.find(name => name !== repository),
    addHolder: async (registry, digest, repository) => await remember(["holder", registry, digest, repository]),
  };
}

/** The first line may be incomplete. */
async function readNewest(path: string): Promise<string> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    const bytes = Buffer.alloc(Math.min(size, MAX_READ_BYTES));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, size - bytes.length);
    return bytes.toString("utf8", 0, bytesRead);
  } catch {
    return "";
  }
}

function parseLine(line: string): readonly [Line] | undefined {
  const text = line.slice(9);
  if (line.slice(0, 8) !== checksum(text)) return undefined;
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

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}
