import { dirname, join } from "node:path";
import type { Digest } from "../../oci/digest.ts";
import { append } from "../../util/append.ts";
import { discardFile, syncFolder } from "../../util/disk.ts";
import { ProcessLock } from "../../util/lock/process-lock.ts";
import { readdir } from "../../util/read-disk.ts";
import { DamageLog } from "../content/damage-log.ts";
import type { StoredContent } from "../content/served-registry.ts";
import { ContentFolder } from "../folder/content-folder.ts";
import { checkOwnFolder } from "../folder/durable-file.ts";
import { REPOSITORY } from "../folder/registry-folder.ts";
import { SWEEP_CLAIM } from "../folder/store-claim.ts";
import { checkStore, STORE_PARTS } from "../folder/store-marker.ts";
import { type BlobLink, type Doubt, markRepository } from "./repository-marks.ts";

/** How a store is swept. */
export interface SweepOptions {
  /** Otherwise nothing is removed. */
  readonly isRemoving: boolean;
  readonly onNote: (message: string) => void;
  readonly signal: AbortSignal | undefined;
}

/** What a sweep has found. */
export interface SweptStore {
  readonly repositories: number;
  readonly manifests: number;
  /** Manifests that no tag leads to: they stay, with what they need. */
  readonly untagged: readonly { readonly repository: string; readonly digest: Digest }[];
  /** Blobs that belong to a repository, and that no manifest of it reaches. */
  readonly links: readonly { readonly repository: string; readonly digest: Digest }[];
  /** Content that nothing refers to, with its bytes on the disk. */
  readonly content: readonly StoredContent[];
  /** Files that cannot be read: what they may refer to stays. */
  readonly doubts: readonly Doubt[];
}

/**
 * Finds what no manifest of a store reaches, and removes it: first from the repositories, then the bytes. So an end at any
 * point leaves a whole store, and the next sweep removes the rest.
 *
 * @throws StorageError for a folder that is no store, or that is in use, and for one whose own folders are links.
 */
export async function sweepStore(folder: string, options: SweepOptions): Promise<SweptStore> {
  const { isRemoving, onNote, signal } = options;
  await checkStore(folder);
  const lock = await ProcessLock.claim(join(folder, "lock"), folder, { onNote, signal, ...SWEEP_CLAIM });
  try {
    for (const part of STORE_PARTS) await checkOwnFolder(join(folder, part));
    const content = new ContentFolder(join(folder, "blobs"), join(folder, "uploads"), new DamageLog(() => undefined));
    await content.checkFolders();
    const { loose, ...found } = await markStore(folder, content, signal);
    const bytes = found.content.map(({ digest }) => content.path(digest));
    const links = loose.map(({ path }) => path);
    if (isRemoving) for (const paths of [links, bytes]) await removeFiles(paths, lock, signal);
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
  const kept = new Set<Digest>();
  const loose: BlobLink[] = [];
  const links: { readonly repository: string; readonly digest: Digest }[] = [];
  const untagged: { readonly repository: string; readonly digest: Digest }[] = [];
  const doubts: Doubt[] = [];
  let repositories = 0;
  let manifests = 0;
  let isBlind = false;
  const entries = await readdir(join(folder, "repositories"));
  for (const entry of entries.filter(name => REPOSITORY.test(name)).sort()) {
    signal?.throwIfAborted();
    const marks = await markRepository(join(folder, "repositories", entry), digest => content.path(digest), signal);
    repositories += 1;
    manifests += marks.manifests;
    isBlind ||= marks.isBlind;
    append(doubts, marks.doubts);
    append(loose, marks.loose);
    for (const digest of marks.untagged) untagged.push({ repository: marks.name ?? "", digest });
    for (const digest of marks.kept) kept.add(digest);
    for (const { digest } of marks.loose) links.push({ repository: marks.name ?? "", digest });
  }
  const unkept: StoredContent[] = [];
  // Not even the names of what is needed are known.
  if (isBlind) return { repositories, manifests, untagged, links, content: unkept, doubts, loose };
  for await (const stored of content.stored(signal)) if (!kept.has(stored.digest)) unkept.push(stored);
  return { repositories, manifests, untagged, links, content: unkept, doubts, loose };
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
