import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { StorageError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { discardFile } from "../../util/disk.ts";
import { quote } from "../../util/format.ts";
import { type LockOptions, ProcessLock } from "../../util/lock/process-lock.ts";
import { readdir } from "../../util/read-disk.ts";
import { storageState } from "../../util/system-fault.ts";
import { DamageLog, type DamageReport } from "../content/damage-log.ts";
import { isOwnFault } from "../content/own-fault.ts";
import type {
  FoundDamage,
  ManifestRecord,
  OpenBlob,
  ServedRegistry,
  StoredContent,
} from "../content/served-registry.ts";
import { ContentFolder } from "./content-folder.ts";
import { isTemporaryName, LinkFault, makeOwnFolder, temporaryName } from "./durable-file.ts";
import { KeyedLock, tagKey } from "./keyed-lock.ts";
import { nameHash, RepositoryFolder } from "./repository-folder.ts";
import { SERVER_CLAIM } from "./store-claim.ts";
import { claimFolder, STORE_PARTS } from "./store-marker.ts";

/** Name of the folder of a repository. */
export const REPOSITORY: RegExp = /^[0-9a-f]{64}$/;

/**
 * The registry's storage. Content is stored once; a repository serves only what was pushed or mounted into it.
 *
 *     imgpack-registry                       version of this format
 *     lock                                   ProcessLock: one process serves a store
 *     uploads/imgpack-upload-<uuid>          unfinished; removed at start
 *     blobs/sha256/ab/<hex>                  ContentFolder
 *     repositories/<sha256 of name>/…        RepositoryFolder
 *
 * Content is complete, hashed and synced before it gets its name, and has its name before a repository refers to it;
 * removal is in reverse order. So a kill at any point leaves at worst content that nothing refers to.
 */
export class RegistryFolder implements ServedRegistry {
  readonly content: ContentFolder;
  readonly bundle = undefined;
  readonly inventory: ServedRegistry = this;
  readonly namespaces = undefined;
  readonly namesakes = (): readonly string[] => [];
  readonly #folder: string;
  readonly #scratch: string;
  readonly #lock: ProcessLock;
  readonly #log: DamageLog;
  readonly #repositories = new Map<string, RepositoryFolder>();
  readonly #locks = new KeyedLock();

  private constructor(folder: string, lock: ProcessLock, onDamage: DamageReport) {
    this.#folder = folder;
    this.#scratch = join(folder, "uploads");
    this.#lock = lock;
    this.#log = new DamageLog(onDamage);
    this.content = new ContentFolder(join(folder, "blobs"), this.#scratch, this.#log);
  }

  /** @throws StorageError for a folder that contains something else, or is served already */
  static async open(
    folder: string,
    onDamage: DamageReport,
    options: Pick<LockOptions, "onNote" | "signal"> = {},
  ): Promise<RegistryFolder> {
    await claimFolder(folder);
    // A second server would serve stale names and remove the uploads of the first.
    const lock = await ProcessLock.claim(join(folder, "lock"), folder, { ...options, ...SERVER_CLAIM });
    try {
      const store = new RegistryFolder(folder, lock, onDamage);
      await store.#load(options.onNote);
      return store;
    } catch (error) {
      await lock.remove();
      throw error;
    }
  }

  async #load(onNote: LockOptions["onNote"]): Promise<void> {
    for (const part of STORE_PARTS) await makeOwnFolder(join(this.#folder, part));
    await this.content.checkFolders();
    await this.#sweep(onNote);
    for (const entry of await readdir(join(this.#folder, "repositories"))) {
      if (REPOSITORY.test(entry)) await this.#loadRepository(join(this.#folder, "repositories", entry));
    }
  }

  /** Removes unfinished uploads. What cannot be removed costs space, and nothing else. */
  async #sweep(onNote: LockOptions["onNote"]): Promise<void> {
    for (const entry of await readdir(this.#scratch, { withFileTypes: true })) {
      if (!isTemporaryName(entry.name)) continue;
      const path = join(this.#scratch, entry.name);
      if (entry.isFile()) {
        await discardFile(path).catch(error => onNote?.(`${quote(path)} stays: ${storageState(error)}`));
      } else {
        onNote?.(`${quote(path)} stays: it is no file, so this server did not write it`);
      }
    }
  }

  async #loadRepository(folder: string): Promise<void> {
    try {
      const repository = await RepositoryFolder.load(folder, this.#scratch, this.#log);
      if (repository !== undefined) this.#repositories.set(repository.name, repository);
    } catch (error) {
      // What is wrong with one repository does not concern the others.
      if (isOwnFault(error)) throw error;
      if (error instanceof LinkFault) this.#log.add({ path: error.path, found: "a symbolic link" });
      else this.#log.add({ path: folder, found: storageState(error) });
    }
  }

  get generation(): number {
    return this.#log.generation;
  }

  get damage(): readonly FoundDamage[] {
    return this.#log.found;
  }

  /** Resolves with the reason once another process serves the store, because this one stood still. */
  get lost(): Promise<StorageError> {
    return this.#lock.lost;
  }

  /** False if another process serves the store now; looks only after this process stood still. */
  async isSafe(): Promise<boolean> {
    return await this.#lock.isSafe();
  }

  async close(): Promise<void> {
    await this.#lock.remove();
  }

  async repository(name: string): Promise<RepositoryFolder | undefined> {
    return this.#repositories.get(name);
  }

  *names(): Generator<string, void> {
    for (const repository of this.#repositories.values()) if (repository.hasManifests()) yield repository.name;
  }

  async readManifest(manifest: StoredContent): Promise<Uint8Array | undefined> {
    return await this.content.read(manifest);
  }

  async openBlob(blob: StoredContent): Promise<OpenBlob | undefined> {
    return await this.content.openBlob(blob);
  }

  /** An unused name for an upload. */
  newUpload(): { readonly id: string; readonly path: string } {
    const id = randomUUID();
    return { id, path: join(this.#scratch, temporaryName(id)) };
  }

  /** Moves a synced file with the given digest into the store, and adds it to the repository. */
  async addBlob(name: string, blob: StoredContent, temporary: string): Promise<void> {
    const repository = await this.#claim(name);
    await this.#locks.run(blob.digest, async () => {
      // Also if the content is present: equal bytes change nothing, and a damaged copy is repaired.
      await this.content.add(blob.digest, temporary);
      await repository.addBlob(blob);
      this.#log.change();
    });
  }

  /** Adds a blob of another repository to `name`. @returns false if no repository that `mayLend` accepts has it. */
  async mountBlob(name: string, digest: Digest, mayLend: (lender: RepositoryFolder) => boolean): Promise<boolean> {
    const lent = async (): Promise<StoredContent | undefined> => {
      const lender = [...this.#repositories.values()].find(each => each.hasBlob(digest) && mayLend(each));
      const blob = lender?.blob(digest);
      return blob !== undefined && (await this.content.has(blob)) ? blob : undefined;
    };
    if ((await lent()) === undefined) return false;
    const repository = await this.#claim(name);
    return await this.#locks.run(digest, async () => {
      const blob = await lent();
      if (blob === undefined) return false;
      await repository.addBlob(blob);
      this.#log.change();
      return true;
    });
  }

  /** Stores a manifest's bytes and points `tags` at it. */
  async addManifest(name: string, record: ManifestRecord, bytes: Uint8Array, tags: readonly string[]): Promise<void> {
    const repository = await this.#claim(name);
    await this.#locks.run(record.digest, async () => {
      await this.content.write(record.digest, bytes);
      await repository.addManifest(record);
      // Tags have their own lock, inside the lock of the digest: the last of two racing PUTs wins on disk and in memory.
      for (const tag of tags) {
        await this.#locks.run(tagKey(name, tag), async () => await repository.setTag(tag, record.digest));
      }
      this.#log.change();
    });
  }

  async removeTag(repository: RepositoryFolder, tag: string): Promise<void> {
    await this.#lock.checkOwned();
    await this.#locks.run(tagKey(repository.name, tag), async () => await repository.removeTag(tag));
    this.#log.change();
  }

  /** Removes a manifest and the tags that name it. */
  async removeManifest(repository: RepositoryFolder, digest: Digest): Promise<void> {
    await this.#lock.checkOwned();
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

  async removeBlob(repository: RepositoryFolder, blob: StoredContent): Promise<void> {
    await this.#lock.checkOwned();
    await this.#locks.run(blob.digest, async () => {
      await repository.removeBlob(blob);
      await this.#dropContent(blob.digest);
    });
  }

  async #dropContent(digest: Digest): Promise<void> {
    this.#log.change();
    for (const repository of this.#repositories.values()) {
      if (repository.hasBlob(digest) || repository.manifest(digest) !== undefined) return;
    }
    await this.content.remove(digest);
  }

  /** @throws StorageError if this process stood still and another one serves the store now. */
  async #claim(name: string): Promise<RepositoryFolder> {
    await this.#lock.checkOwned();
    return await this.#locks.run(`repository ${name}`, async () => {
      const known = this.#repositories.get(name);
      if (known !== undefined) return known;
      const folder = join(this.#folder, "repositories", nameHash(name));
      const repository = await RepositoryFolder.create(name, folder, this.#scratch, this.#log);
      this.#repositories.set(name, repository);
      return repository;
    });
  }
}
