import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { StorageError } from "../../errors.ts";
import { type Digest, digestAlgorithm, digestHex, isDigest } from "../../oci/digest.ts";
import { isTag } from "../../oci/reference.ts";
import { quote } from "../../util/format.ts";
import { makeFolder, removeDurably, writeDurably, writeMark } from "./durable-file.ts";

/** What is known of a manifest without reading it. */
export interface ManifestRecord {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes. */
  readonly size: number;
  readonly subject?: Digest;
  readonly artifactType?: string;
}

/** File name for a name from the network: a hash, because case rules and reserved names differ between systems. */
export function nameHash(name: string): string {
  return createHash("sha256").update(name).digest("hex");
}

/**
 * One repository: its blobs, manifests and tags. They are kept in memory, and stored in a folder:
 *
 *     name                    {"name": …}
 *     blobs/<alg>-<hex>       empty
 *     manifests/<alg>-<hex>   ManifestRecord
 *     tags/<sha256 of tag>    {"tag": …, "digest": …}
 *
 * Writers of one digest or one tag are kept apart by the caller (RegistryFolder).
 */
export class RepositoryFolder {
  readonly name: string;
  readonly #folder: string;
  readonly #scratch: string;
  readonly #blobs = new Set<Digest>();
  readonly #manifests = new Map<Digest, ManifestRecord>();
  readonly #tags = new Map<string, Digest>();

  private constructor(name: string, folder: string, scratch: string) {
    this.name = name;
    this.#folder = folder;
    this.#scratch = scratch;
  }

  static async create(name: string, folder: string, scratch: string): Promise<RepositoryFolder> {
    for (const part of ["blobs", "manifests", "tags"]) await makeFolder(join(folder, part));
    await writeDurably(join(folder, "name"), JSON.stringify({ name }), scratch);
    return new RepositoryFolder(name, folder, scratch);
  }

  /** @returns undefined for a folder whose creation was interrupted, which is empty. @throws StorageError */
  static async load(folder: string, scratch: string): Promise<RepositoryFolder | undefined> {
    const entries = await readdir(folder);
    if (!entries.includes("name")) return undefined;
    const { name } = await readRecord(join(folder, "name"));
    if (typeof name !== "string" || !folder.endsWith(nameHash(name))) throw damaged(join(folder, "name"));
    const repository = new RepositoryFolder(name, folder, scratch);
    for (const entry of await readdir(join(folder, "blobs"))) {
      const digest = digestOf(entry);
      if (digest !== undefined) repository.#blobs.add(digest);
    }
    for (const entry of await readdir(join(folder, "manifests"))) {
      const digest = digestOf(entry);
      if (digest === undefined) continue;
      const path = join(folder, "manifests", entry);
      repository.#manifests.set(digest, manifestRecord(digest, await readRecord(path), path));
    }
    for (const entry of await readdir(join(folder, "tags"))) {
      const path = join(folder, "tags", entry);
      const { tag, digest } = await readRecord(path);
      if (typeof tag !== "string" || !isTag(tag) || !isDigest(digest)) throw damaged(path);
      // A tag without its manifest is left by an interrupted delete.
      if (repository.#manifests.has(digest)) repository.#tags.set(tag, digest);
    }
    return repository;
  }

  hasBlob(digest: Digest): boolean {
    return this.#blobs.has(digest);
  }

  manifest(digest: Digest): ManifestRecord | undefined {
    return this.#manifests.get(digest);
  }

  /** Digest that a tag names. */
  tagged(tag: string): Digest | undefined {
    return this.#tags.get(tag);
  }

  hasManifests(): boolean {
    return this.#manifests.size > 0;
  }

  tags(): Iterable<string> {
    return this.#tags.keys();
  }

  tagsOf(digest: Digest): string[] {
    return [...this.#tags].filter(([, target]) => target === digest).map(([tag]) => tag);
  }

  referrersOf(subject: Digest): ManifestRecord[] {
    return [...this.#manifests.values()].filter(record => record.subject === subject);
  }

  async addBlob(digest: Digest): Promise<void> {
    if (this.#blobs.has(digest)) return;
    await writeMark(this.#path("blobs", digest));
    this.#blobs.add(digest);
  }

  async removeBlob(digest: Digest): Promise<void> {
    this.#blobs.delete(digest);
    await removeDurably(this.#path("blobs", digest));
  }

  async addManifest(record: ManifestRecord): Promise<void> {
    await writeDurably(this.#path("manifests", record.digest), JSON.stringify(record), this.#scratch);
    this.#manifests.set(record.digest, record);
  }

  async removeManifest(digest: Digest): Promise<void> {
    this.#manifests.delete(digest);
    await removeDurably(this.#path("manifests", digest));
  }

  async setTag(tag: string, digest: Digest): Promise<void> {
    await writeDurably(this.#tagPath(tag), JSON.stringify({ tag, digest }), this.#scratch);
    this.#tags.set(tag, digest);
  }

  async removeTag(tag: string): Promise<void> {
    this.#tags.delete(tag);
    await removeDurably(this.#tagPath(tag));
  }

  #path(part: "blobs" | "manifests", digest: Digest): string {
    return join(this.#folder, part, `${digestAlgorithm(digest)}-${digestHex(digest)}`);
  }

  #tagPath(tag: string): string {
    return join(this.#folder, "tags", nameHash(tag));
  }
}

function digestOf(entry: string): Digest | undefined {
  const text = entry.replace("-", ":");
  return isDigest(text) ? text : undefined;
}

function manifestRecord(digest: Digest, record: Record<string, unknown>, path: string): ManifestRecord {
  const { mediaType, size, subject, artifactType } = record;
  if (record["digest"] !== digest || typeof mediaType !== "string" || typeof size !== "number") throw damaged(path);
  if (subject !== undefined && !isDigest(subject)) throw damaged(path);
  if (artifactType !== undefined && typeof artifactType !== "string") throw damaged(path);
  return {
    digest,
    mediaType,
    size,
    ...(subject === undefined ? {} : { subject }),
    ...(artifactType === undefined ? {} : { artifactType }),
  };
}

/** Our own small files, so the plain parser is enough. */
async function readRecord(path: string): Promise<Record<string, unknown>> {
  const text = await readFile(path, "utf8");
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return { ...value };
  } catch (error) {
    throw damaged(path, error);
  }
  throw damaged(path);
}

function damaged(path: string, cause?: unknown): StorageError {
  return new StorageError(
    `Cannot read registry store from ${quote(path)}: damaged record, expected one this server wrote`,
    {
      hint: "Remove this file, then push the image that it belongs to again.",
      cause,
    },
  );
}
