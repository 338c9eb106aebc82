import { createHash } from "node:crypto";
import { join } from "node:path";
import { type Digest, digestAlgorithm, digestHex, isDigest } from "../../oci/digest.ts";
import { isTag } from "../../oci/reference.ts";
import { readdir } from "../../util/read-disk.ts";
import type { DamageLog, DamageReport } from "../content/damage-log.ts";
import type { Lack, ManifestRecord, ServedRepository, StoredContent } from "../content/served-registry.ts";
import { makeOwnFolder, removeDurably, writeMark } from "./durable-file.ts";
import { readRecord, writeRecord } from "./record-file.ts";

/** File name for a name from the network: a hash, because case rules and reserved names differ between systems. */
export function nameHash(name: string): string {
  return createHash("sha256").update(name).digest("hex");
}

/** The folders of a repository, itself first. */
export const REPOSITORY_PARTS = ["", "blobs", "manifests", "tags"] as const;
const DAMAGED: Lack = {
  kind: "damage",
  found: "its file in the store is missing or damaged",
  hint: "Push what it belongs to again.",
};
const NOT_OURS = "not what this server wrote";

/**
 * One repository: its blobs, manifests and tags. They are kept in memory, and stored in a folder:
 *
 *     name                      {"name": …}
 *     blobs/<alg>-<hex>-<size>  empty
 *     manifests/<alg>-<hex>     ManifestRecord
 *     tags/<sha256 of tag>      {"tag": …, "digest": …}
 *
 * Each record has a checksum. A damaged one is reported and counts as absent until the next push writes it again. Writers
 * of one digest or one tag are kept apart by the caller (RegistryFolder).
 */
export class RepositoryFolder implements ServedRepository {
  readonly name: string;
  readonly #folder: string;
  readonly #scratch: string;
  readonly #log: DamageLog;
  readonly #blobs = new Map<Digest, number>();
  readonly #manifests = new Map<Digest, ManifestRecord>();
  readonly #tags = new Map<string, Digest>();

  private constructor(name: string, folder: string, scratch: string, log: DamageLog) {
    this.#log = log;
    this.name = name;
    this.#folder = folder;
    this.#scratch = scratch;
  }

  /** A folder whose record of the name was damaged gets it back, and keeps the rest. */
  static async create(name: string, folder: string, scratch: string, log: DamageLog): Promise<RepositoryFolder> {
    const repository = new RepositoryFolder(name, folder, scratch, log);
    await repository.#read(log.add);
    await writeRecord(join(folder, "name"), { name }, scratch);
    return repository;
  }

  /** @returns undefined for a folder without a name: its creation was interrupted, or the record is damaged. */
  static async load(folder: string, scratch: string, log: DamageLog): Promise<RepositoryFolder | undefined> {
    if (!(await readdir(folder)).includes("name")) return undefined;
    const path = join(folder, "name");
    const name = (await readRecord(path))?.["name"];
    if (typeof name !== "string" || !folder.endsWith(nameHash(name))) {
      log.add({ path, found: NOT_OURS });
      return undefined;
    }
    const repository = new RepositoryFolder(name, folder, scratch, log);
    await repository.#read(log.add);
    return repository;
  }

  async #read(onDamage: DamageReport): Promise<void> {
    for (const part of REPOSITORY_PARTS) await makeOwnFolder(join(this.#folder, part));
    for (const entry of await readdir(join(this.#folder, "blobs"))) {
      const blob = blobOf(entry);
      if (blob !== undefined) this.#blobs.set(blob.digest, blob.size);
    }
    for (const entry of await readdir(join(this.#folder, "manifests"))) {
      const digest = entryDigest(entry);
      if (digest === undefined) continue;
      const path = join(this.#folder, "manifests", entry);
      const record = manifestRecord(digest, await readRecord(path));
      if (record === undefined) onDamage({ path, found: NOT_OURS });
      else this.#manifests.set(digest, record);
    }
    for (const entry of await readdir(join(this.#folder, "tags"))) {
      const path = join(this.#folder, "tags", entry);
      const { tag, digest } = (await readRecord(path)) ?? {};
      if (typeof tag !== "string" || !isTag(tag) || nameHash(tag) !== entry || !isDigest(digest)) {
        onDamage({ path, found: NOT_OURS });
      } else if (this.#manifests.has(digest)) {
        // A tag without its manifest is left by an interrupted delete.
        this.#tags.set(tag, digest);
      }
    }
  }

  hasBlob(digest: Digest): boolean {
    return this.#blobs.has(digest);
  }

  get original(): string {
    return this.name;
  }

  blob(digest: Digest): StoredContent | undefined {
    const size = this.#blobs.get(digest);
    return size === undefined ? undefined : { digest, size };
  }

  manifests(): Iterable<ManifestRecord> {
    return this.#manifests.values();
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

  lack(digest: Digest): Lack | undefined {
    const isNamed = this.#blobs.has(digest) || this.#manifests.has(digest);
    return isNamed && this.#log.find(digest) !== undefined ? DAMAGED : undefined;
  }

  async addBlob({ digest, size }: StoredContent): Promise<void> {
    if (this.#blobs.get(digest) === size) return;
    await writeMark(this.#blobPath({ digest, size }));
    this.#blobs.set(digest, size);
  }

  async removeBlob(blob: StoredContent): Promise<void> {
    this.#blobs.delete(blob.digest);
    await removeDurably(this.#blobPath(blob));
  }

  async addManifest(record: ManifestRecord): Promise<void> {
    await writeRecord(this.#manifestPath(record.digest), record, this.#scratch);
    this.#manifests.set(record.digest, record);
  }

  async removeManifest(digest: Digest): Promise<void> {
    this.#manifests.delete(digest);
    await removeDurably(this.#manifestPath(digest));
  }

  async setTag(tag: string, digest: Digest): Promise<void> {
    await writeRecord(this.#tagPath(tag), { tag, digest }, this.#scratch);
    this.#tags.set(tag, digest);
  }

  async removeTag(tag: string): Promise<void> {
    this.#tags.delete(tag);
    await removeDurably(this.#tagPath(tag));
  }

  #blobPath({ digest, size }: StoredContent): string {
    return join(this.#folder, "blobs", `${digestAlgorithm(digest)}-${digestHex(digest)}-${size}`);
  }

  #manifestPath(digest: Digest): string {
    return join(this.#folder, "manifests", `${digestAlgorithm(digest)}-${digestHex(digest)}`);
  }

  #tagPath(tag: string): string {
    return join(this.#folder, "tags", nameHash(tag));
  }
}

/** Digest in the name of a file of a repository. */
export function entryDigest(entry: string): Digest | undefined {
  const text = entry.replace("-", ":");
  return isDigest(text) ? text : undefined;
}

/** Blob that the name of a file in `blobs` says. */
export function blobOf(entry: string): StoredContent | undefined {
  const [, name = "", size = ""] = /^([a-z0-9]+-[0-9a-f]+)-([0-9]{1,15})$/.exec(entry) ?? [];
  const digest = entryDigest(name);
  return digest === undefined ? undefined : { digest, size: Number(size) };
}

function manifestRecord(digest: Digest, record: Record<string, unknown> = {}): ManifestRecord | undefined {
  const { mediaType, size, subject, artifactType } = record;
  if (record["digest"] !== digest || typeof mediaType !== "string" || typeof size !== "number") return undefined;
  if (subject !== undefined && !isDigest(subject)) return undefined;
  if (artifactType !== undefined && typeof artifactType !== "string") return undefined;
  return {
    digest,
    mediaType,
    size,
    ...(subject === undefined ? {} : { subject }),
    ...(artifactType === undefined ? {} : { artifactType }),
  };
}
