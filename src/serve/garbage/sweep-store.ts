import { dirname, join } from "node:path";
import { StorageError } from "../../errors.ts";
import { type Digest, isDigest } from "../../oci/digest.ts";
import { discardFile, syncFolder } from "../../util/disk.ts";
import { errorCode } from "../../util/error-code.ts";
import { quote } from "../../util/format.ts";
import type { LockOwner } from "../../util/lock/contest.ts";
import { ownerText } from "../../util/lock/lock-words.ts";
import { ProcessLock } from "../../util/lock/process-lock.ts";
import { lstat, readdir } from "../../util/read-disk.ts";
import { DamageLog } from "../content/damage-log.ts";
import { ContentFolder } from "../folder/content-folder.ts";
import { REPOSITORY } from "../folder/registry-folder.ts";
import { checkStore } from "../folder/store-marker.ts";
import { type BlobLink, type Doubt, markRepository } from "./repository-marks.ts";

/** The first byte of a digest. */
const PREFIX = /^[0-9a-f]{2}$/;

/** How a store is swept. */
export interface SweepOptions {
  /** Otherwise nothing is removed. */
  readonly isRemoving: boolean;
  readonly onNote: (message: string) => void;
  readonly signal: AbortSignal | undefined;
}

/** Bytes that nothing refers to. */
export interface LooseContent {
  readonly digest: Digest;
  /** Bytes on the disk. */
  readonly size: number;
}

/** What a sweep has found. */
export interface SweptStore {
  readonly repositories: number;
  readonly manifests: number;
  /** Blobs that belong to a repository, and that no manifest of it reaches. */
  readonly links: readonly { readonly repository: string; readonly digest: Digest }[];
  readonly content: readonly LooseContent[];
  /** Files that cannot be read: what they may refer to stays. */
  readonly doubts: readonly Doubt[];
}

/**
 * Finds what no manifest of a store reaches, and removes it: first from the repositories, then the bytes. So an end at any
 * point leaves a whole store, and the next sweep removes the rest.
 *
 * @throws StorageError for a folder that is no store, or that is in use.
 */
export async function sweepStore(folder: string, options: SweepOptions): Promise<SweptStore> {
  const { isRemoving, onNote, signal } = options;
  await checkStore(folder);
  const lock = await ProcessLock.claim(join(folder, "lock"), folder, {
    onNote,
    signal,
    refusal: inUse,
    loss: takenOver,
  });
  try {
    const content = new ContentFolder(join(folder, "blobs"), join(folder, "uploads"), new DamageLog(() => undefined));
    await content.checkFolders();
    const marked = await markStore(folder, content, signal);
    const { loose, ...found } = marked;
    if (isRemoving) {
      await removeFiles(
        loose.map(({ path }) => path),
        lock,
        signal,
      );
      await removeFiles(
        found.content.map(({ digest }) => content.path(digest)),
        lock,
        signal,
      );
    }
    return found;
  } finally {
    await lock.remove();
  }
}

interface MarkedStore extends SweptStore {
  readonly loose: readonly BlobLink[];
}

async function markStore(
  folder: string,
  content: ContentFolder,
  signal: AbortSignal | undefined,
): Promise<MarkedStore> {
  const [kept, loose, links] = [new Set<Digest>(), [] as BlobLink[], [] as { repository: string; digest: Digest }[]];
  const doubts: Doubt[] = [];
  let [repositories, manifests, isBlind] = [0, 0, false];
  const entries = await readdir(join(folder, "repositories"));
  for (const entry of entries.filter(name => REPOSITORY.test(name)).sort()) {
    signal?.throwIfAborted();
    const marks = await markRepository(join(folder, "repositories", entry), digest => content.path(digest));
    repositories += 1;
    manifests += marks.manifests;
    isBlind ||= marks.isBlind;
    for (const doubt of marks.doubts) doubts.push(doubt);
    for (const digest of marks.kept) kept.add(digest);
    for (const link of marks.loose) loose.push(link);
    for (const { digest } of marks.loose) links.push({ repository: marks.name ?? "", digest });
  }
  const unkept = isBlind ? [] : await looseContent(join(folder, "blobs"), kept, signal);
  return { repositories, manifests, links, content: unkept, doubts, loose };
}

async function looseContent(
  folder: string,
  kept: ReadonlySet<Digest>,
  signal: AbortSignal | undefined,
): Promise<readonly LooseContent[]> {
  const found: LooseContent[] = [];
  for (const algorithm of ["sha256", "sha512"]) {
    const prefixes = await foldersOf(join(folder, algorithm));
    for (const prefix of prefixes.filter(name => PREFIX.test(name))) {
      signal?.throwIfAborted();
      for (const entry of await readdir(join(folder, algorithm, prefix))) {
        const digest = `${algorithm}:${entry}`;
        if (!isDigest(digest) || !entry.startsWith(prefix) || kept.has(digest)) continue;
        const stats = await lstat(join(folder, algorithm, prefix, entry));
        if (stats.isFile()) found.push({ digest, size: stats.size });
      }
    }
  }
  return found;
}

async function foldersOf(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder, { withFileTypes: true }))
      .filter(entry => entry.isDirectory())
      .map(({ name }) => name);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}

/** Settles when their names are gone from the disk. */
async function removeFiles(
  paths: readonly string[],
  lock: ProcessLock,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const path of paths) {
    signal?.throwIfAborted();
    await lock.checkAfterPause();
    await discardFile(path);
  }
  for (const folder of new Set(paths.map(path => dirname(path)))) await syncFolder(folder);
}

function inUse(folder: string, owner: LockOwner | undefined): StorageError {
  return new StorageError(
    `Cannot sweep store ${quote(folder)}: store in use by ${ownerText(owner)}, expected a free store`,
    { hint: "Stop its server first." },
  );
}

function takenOver(folder: string): StorageError {
  return new StorageError(
    `Cannot sweep store ${quote(folder)}: another process took it over while this one stood still, expected to own it`,
    { hint: "Run the same command again when no server runs." },
  );
}
