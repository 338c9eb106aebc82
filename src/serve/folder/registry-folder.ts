import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { StorageError } from "../../errors.ts";
import { type Digest, digestAlgorithm, digestHex } from "../../oci/digest.ts";
import { discardFile } from "../../util/disk.ts";
import { quote } from "../../util/format.ts";
import { ProcessLock } from "../../util/process-lock.ts";
import { makeFolder, publishFile, removeDurably, writeDurably } from "./durable-file.ts";
import { KeyedLock } from "./keyed-lock.ts";
import { type ManifestRecord, nameHash, RepositoryFolder } from "./repository-folder.ts";

const MARKER = "imgpack-registry";
const VERSION = "1\n";
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The registry's storage. Content is stored once; a repository serves only what was pushed or mounted into it.
 *
 *     imgpack-registry                       version of this format
 *     lock                                   ProcessLock: one process serves a store
 *     uploads/<uuid>                         unfinished; removed at start
 *     blobs/sha256/ab/<hex>                  content, manifests included
 *     repositories/<sha256 of name>/…        RepositoryFolder
 *
 * Content is complete, hashed and synced before it gets its name, and has its name before a repository refers to it;
 * removal is in reverse order. So a kill at any point leaves at worst content that nothing refers to.
 */
export class RegistryFolder {
  readonly #folder: string;
  readonly #scratch: string;
  readonly #lock: ProcessLock;
  readonly #repositories = new Map<string, RepositoryFolder>();
  readonly #locks = new KeyedLock();

  private constructor(folder: string, lock: ProcessLock) {
    this.#folder = folder;
    this.#scratch = join(folder, "uploads");
    this.#lock = lock;
  }

  /** @throws StorageError for a folder that contains something else, is damaged, or is served already */
  static async open(folder: string): Promise<RegistryFolder> {
    await checkMarker(folder);
    // A second server would serve stale names and remove the uploads of the first.
    const lock = await ProcessLock.claim(join(folder, "lock"), folder, inUse);
    try {
      const store = new RegistryFolder(folder, lock);
      await store.#load();
      return store;
    } catch (error) {
      await lock.remove();
      throw error;
    }
  }

  async #load(): Promise<void> {
    await makeFolder(this.#scratch);
    for (const entry of await readdir(this.#scratch)) {
      if (UUID.test(entry)) await discardFile(join(this.#scratch, entry));
    }
    await writeDurably(join(this.#folder, MARKER), VERSION, this.#scratch);
    for (const part of ["blobs", "repositories"]) await makeFolder(join(this.#folder, part));
    for (const entry of await readdir(join(this.#folder, "repositories"))) {
      const repository = await RepositoryFolder.load(join(this.#folder, "repositories", entry), this.#scratch);
      if (repository !== undefined) this.#repositories.set(repository.name, repository);
    }
  }

  async close(): Promise<void> {
    await this.#lock.remove();
  }

  repository(name: string): RepositoryFolder | undefined {
    return this.#repositories.get(name);
  }

  repositories(): Iterable<RepositoryFolder> {
    return this.#repositories.values();
  }

  /** An unused name for an upload. */
  newUpload(): { readonly id: string; readonly path: string } {
    const id = randomUUID();
    return { id, path: join(this.#scratch, id) };
  }

  contentPath(digest: Digest): string {
    const hex = digestHex(digest);
    return join(this.#folder, "blobs", digestAlgorithm(digest), hex.slice(0, 2), hex);
  }

  /** Moves a synced file with the given digest into the store, and adds it to the repository. */
  async addBlob(name: string, digest: Digest, temporary: string): Promise<void> {
    const repository = await this.#claim(name);
    await this.#locks.run(digest, async () => {
      const path = this.contentPath(digest);
      await makeFolder(dirname(path));
      // Also if the content is present: equal bytes change nothing, and a damaged copy is repaired.
      await publishFile(temporary, path);
      await repository.addBlob(digest);
    });
  }

  /** Adds a blob of another repository to `name`. @returns false if no repository that `mayLend` accepts has it. */
  async mountBlob(name: string, digest: Digest, mayLend: (lender: RepositoryFolder) => boolean): Promise<boolean> {
    const hasLender = (): boolean =>
      [...this.#repositories.values()].some(lender => lender.hasBlob(digest) && mayLend(lender));
    if (!hasLender()) return false;
    const repository = await this.#claim(name);
    return await this.#locks.run(digest, async () => {
      if (!hasLender()) return false;
      await repository.addBlob(digest);
      return true;
    });
  }

  /** Stores a manifest's bytes and points `tags` at it. */
  async addManifest(name: string, record: ManifestRecord, bytes: Uint8Array, tags: readonly string[]): Promise<void> {
    const repository = await this.#claim(name);
    await this.#locks.run(record.digest, async () => {
      const path = this.contentPath(record.digest);
      await makeFolder(dirname(path));
      await writeDurably(path, bytes, this.#scratch);
      await repository.addManifest(record);
      // Tags have their own lock, inside the lock of the digest: the last of two racing PUTs wins on disk and in memory.
      for (const tag of tags) {
        await this.#locks.run(tagKey(name, tag), async () => await repository.setTag(tag, record.digest));
      }
    });
  }

  async removeTag(repository: RepositoryFolder, tag: string): Promise<void> {
    await this.#locks.run(tagKey(repository.name, tag), async () => await repository.removeTag(tag));
  }

  /** Removes a manifest and the tags that name it. */
  async removeManifest(repository: RepositoryFolder, digest: Digest): Promise<void> {
    await this.#locks.run(digest, async () => {
      for (const tag of repository.tagsOf(digest)) {
        await this.#locks.run(tagKey(repository.name, tag), async () => {
          if (repository.tagged(tag) === digest) await repository.removeTag(tag);
        });
      }
      await repository.removeManifest(digest);
      await this.#dropContent(digest);
    });
  }

  async removeBlob(repository: RepositoryFolder, digest: Digest): Promise<void> {
    await this.#locks.run(digest, async () => {
      await repository.removeBlob(digest);
      await this.#dropContent(digest);
    });
  }

  /** Running downloads keep their open file. */
  async #dropContent(digest: Digest): Promise<void> {
    for (const repository of this.#repositories.values()) {
      if (repository.hasBlob(digest) || repository.manifest(digest) !== undefined) return;
    }
    await removeDurably(this.contentPath(digest));
  }

  async #claim(name: string): Promise<RepositoryFolder> {
    return await this.#locks.run(`repository ${name}`, async () => {
      const known = this.#repositories.get(name);
      if (known !== undefined) return known;
      const folder = join(this.#folder, "repositories", nameHash(name));
      const repository = await RepositoryFolder.create(name, folder, this.#scratch);
      this.#repositories.set(name, repository);
      return repository;
    });
  }
}

function tagKey(name: string, tag: string): string {
  return `tag ${name}:${tag}`;
}

/** The store removes files at start, so it uses only folders that are empty or its own. */
async function checkMarker(folder: string): Promise<void> {
  await makeFolder(folder);
  const entries = await readdir(folder);
  const found = entries.includes(MARKER) ? await readFile(join(folder, MARKER), "utf8") : undefined;
  // "lock" and "uploads" without a marker are left by an interrupted first start.
  if (found === VERSION || entries.every(entry => ["lock", "uploads", "lost+found"].includes(entry))) return;
  const state = found === undefined ? "a folder with other files" : `a store of version ${quote(found.trim())}`;
  throw new StorageError(
    `Cannot serve registry from ${quote(folder)}: found ${state}, expected an empty folder or a store of version 1`,
    { hint: "Name a new folder; it is created when it does not exist." },
  );
}

function inUse(folder: string, owner: number | undefined): StorageError {
  return new StorageError(
    `Cannot serve registry from ${quote(folder)}: store in use by process ${owner ?? "unknown"}, expected a free store`,
    { hint: 'Stop the other server; if there is none, remove the file "lock" in the store.' },
  );
}
