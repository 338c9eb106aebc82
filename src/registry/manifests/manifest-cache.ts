import { createHash } from "node:crypto";
import type { Stats } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { discardFile, makeFolders } from "../../util/disk.ts";
import { errorCode } from "../../util/error-code.ts";
import { quote } from "../../util/format.ts";
import { isOwnedByUser, isOwnFolder, openOwnFile } from "../../util/private-file.ts";
import { lstat, readdir } from "../../util/read-disk.ts";
import { runBounded } from "../../util/task-group.ts";
import type { Repository } from "../client/repository.ts";
import { isMarked, MANIFESTS_MARK, RepositoryManifests } from "./repository-manifests.ts";

/** Folder below the cache folder. */
export const MANIFESTS_FOLDER = "manifests";
/** Manifests and indexes of 4,000 images or so. */
const MAX_BYTES = 64 * 1024 * 1024;
/** A repository with 1,000 tags takes 10 MiB or so. */
const MAX_REPOSITORY_BYTES = 32 * 1024 * 1024;
const MAX_FILES = 2000;
const SAVED_AT_ONCE = 4;
/** What an interrupted run left. */
const TEMPORARY_MS = 3_600_000;
const OWN_NAME = /^[0-9a-f]{64}\.manifests(\.[0-9a-f]{12})?$/;

export interface ManifestCacheOptions {
  /** Called with a sentence if the files are not those of this user alone; then they are ignored. */
  readonly onNote?: ((message: string) => void) | undefined;
  /** Of all files; default 64 MiB. */
  readonly maxBytes?: number | undefined;
  /** Of the file of one repository; default 32 MiB. */
  readonly maxRepositoryBytes?: number | undefined;
}

/**
 * Manifests and indexes that earlier runs read, a file for each repository: what one repository has never answers for
 * another one. Whatever cannot be read or written costs requests, and is no error.
 */
export class ManifestCache {
  readonly #folder: string;
  readonly #onNote: (message: string) => void;
  readonly #maxBytes: number;
  readonly #maxRepositoryBytes: number;
  readonly #repositories = new Map<string, Promise<RepositoryManifests | undefined>>();
  #isUsable: Promise<boolean> | undefined;
  /** Files that were there when the first one was needed. */
  #present: Promise<ReadonlySet<string>> | undefined;
  #isNoted = false;

  /** @param cacheFolder contains the folder `manifests`, which is created when needed. */
  constructor(cacheFolder: string, options: ManifestCacheOptions = {}) {
    const { onNote = () => undefined, maxBytes = MAX_BYTES, maxRepositoryBytes = MAX_REPOSITORY_BYTES } = options;
    this.#folder = join(cacheFolder, MANIFESTS_FOLDER);
    this.#onNote = onNote;
    this.#maxBytes = maxBytes;
    this.#maxRepositoryBytes = Math.min(maxRepositoryBytes, maxBytes);
  }

  /** @returns undefined if nothing can be kept of this repository. */
  async of(repository: Repository): Promise<RepositoryManifests | undefined> {
    const key = `${repository.client.base.origin}/${repository.name}`;
    const known = this.#repositories.get(key) ?? this.#open(createHash("sha256").update(key).digest("hex"));
    this.#repositories.set(key, known);
    return await known;
  }

  /** Writes what this run has read. */
  async save(): Promise<void> {
    try {
      const all = (await Promise.all(this.#repositories.values())).flatMap(one => one ?? []);
      const changed = all.filter(one => one.hasNews);
      if (changed.length === 0 || !(await this.#prepare())) return;
      // More would be removed at once.
      const kept = changed.slice(0, Math.max(1, MAX_FILES - (all.length - changed.length)));
      await runBounded(kept, SAVED_AT_ONCE, async one => await one.save(this.#maxRepositoryBytes));
      await this.#removeOld();
    } catch {
      // The next run asks the registry again.
    }
  }

  async #open(name: string): Promise<RepositoryManifests | undefined> {
    this.#isUsable ??= this.#isOwn();
    if (!(await this.#isUsable)) return undefined;
    const path = join(this.#folder, `${name}.manifests`);
    this.#present ??= readdir(this.#folder).then(
      names => new Set(names),
      () => new Set(),
    );
    // One look replaces a failing open for each of thousands of repositories.
    if (!(await this.#present).has(`${name}.manifests`)) return RepositoryManifests.empty(path);
    const opened = await RepositoryManifests.open(path, this.#maxRepositoryBytes);
    if (opened === undefined) this.#note(`${name}.manifests`, "a file of imgpack that only you can read and write");
    return opened;
  }

  /** True also if there is no folder yet. */
  async #isOwn(): Promise<boolean> {
    const there = await lstat(this.#folder).catch((error: unknown) => {
      const code = errorCode(error);
      return code === "ENOENT" || code === "ENOTDIR" ? undefined : "unknown";
    });
    if (there === undefined || (await isOwnFolder(this.#folder))) return true;
    this.#note(MANIFESTS_FOLDER, "a folder of yours that others cannot write to");
    return false;
  }

  #note(name: string, expected: string): void {
    if (this.#isNoted) return;
    this.#isNoted = true;
    this.#onNote(
      `Manifests in ${quote(dirname(this.#folder))} are not used: expected ${quote(name)} to be ${expected}`,
    );
  }

  async #prepare(): Promise<boolean> {
    // Under sudo that keeps HOME, a folder of root would lock its user out.
    if (process.getuid?.() === 0 && !isOwnedByUser(await lowestExisting(this.#folder))) return false;
    await makeFolders(this.#folder, 0o700);
    return await isOwnFolder(this.#folder);
  }

  /** Removes the files that were written longest ago, and what interrupted runs left. */
  async #removeOld(): Promise<void> {
    const names = (await readdir(this.#folder)).filter(name => OWN_NAME.test(name));
    const found = await Promise.all(
      names.map(async name => {
        const stats = await lstat(join(this.#folder, name)).catch(() => undefined);
        return stats === undefined ? [] : [{ name, size: stats.size, time: stats.mtimeMs }];
      }),
    );
    let bytes = 0;
    let files = 0;
    for (const { name, size, time } of found.flat().sort((a, b) => b.time - a.time)) {
      const isTemporary = OWN_NAME.exec(name)?.[1] !== undefined;
      bytes += size;
      files += 1;
      const isOld = isTemporary ? Date.now() - time > TEMPORARY_MS : bytes > this.#maxBytes || files > MAX_FILES;
      if (isOld && (await this.#isOurs(name))) await discardFile(join(this.#folder, name));
    }
  }

  async #isOurs(name: string): Promise<boolean> {
    const opened = await openOwnFile(join(this.#folder, name), "reading");
    if (typeof opened === "string") return false;
    await using file = opened;
    const start = Buffer.alloc(MANIFESTS_MARK.length);
    const { bytesRead } = await file.read(start, 0, start.length, 0);
    return isMarked(start.subarray(0, bytesRead));
  }
}

async function lowestExisting(folder: string): Promise<Stats> {
  for (let path = resolve(folder); ; path = dirname(path)) {
    const stats = await lstat(path).catch((error: unknown) => {
      if (errorCode(error) !== "ENOENT" || dirname(path) === path) throw error;
    });
    if (stats !== undefined) return stats;
  }
}
