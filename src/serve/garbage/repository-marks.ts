import { basename, join } from "node:path";
import { type Digest, digestAlgorithm, digestOf, isDigest } from "../../oci/digest.ts";
import { MAX_MANIFEST_BYTES } from "../../oci/limits.ts";
import { type ManifestView, manifestChildren, parseManifest } from "../../oci/manifest.ts";
import { groupedBy } from "../../util/append.ts";
import { lstat, readdir } from "../../util/read-disk.ts";
import type { StoredContent } from "../content/served-registry.ts";
import { checkOwnFolder, LinkFault } from "../folder/durable-file.ts";
import { readRecord, readSmallFile } from "../folder/record-file.ts";
import { blobOf, entryDigest, nameHash, REPOSITORY_PARTS } from "../folder/repository-folder.ts";

/** A file that says that a blob belongs to a repository. */
export interface BlobLink extends StoredContent {
  readonly path: string;
}

/** What a repository needs of the store. */
export interface RepositoryMarks {
  /** Undefined if its record is damaged. */
  readonly name: string | undefined;
  readonly manifests: number;
  /** Manifests that no tag leads to: not by name, as a part, or as what refers to something that a tag leads to. */
  readonly untagged: readonly Digest[];
  /** Content that stays: manifests, and blobs that they reach. */
  readonly kept: ReadonlySet<Digest>;
  /** Links to blobs that no manifest reaches. */
  readonly loose: readonly BlobLink[];
  /** Why everything in it stays, if something in it cannot be read. */
  readonly doubts: readonly Doubt[];
  /** Not even the names of its files can be read, so that nothing of the store may go. */
  readonly isBlind: boolean;
}

/** A file that may refer to anything. */
export interface Doubt {
  readonly path: string;
  readonly found: string;
}

/** @param contentPath gives the file of a digest. */
export async function markRepository(
  folder: string,
  contentPath: (digest: Digest) => string,
  signal: AbortSignal | undefined,
): Promise<RepositoryMarks> {
  const doubts: Doubt[] = [];
  try {
    for (const part of REPOSITORY_PARTS) await checkOwnFolder(join(folder, part));
  } catch (error) {
    // The server does not read such a repository either.
    if (!(error instanceof LinkFault)) throw error;
    doubts.push({ path: error.path, found: "a symbolic link" });
    return { name: undefined, manifests: 0, untagged: [], kept: new Set(), loose: [], doubts, isBlind: true };
  }
  const [blobs, records] = [
    await pathsIn(join(folder, "blobs"), doubts),
    await pathsIn(join(folder, "manifests"), doubts),
  ];
  const links = (blobs ?? []).flatMap(path => {
    const blob = blobOf(basename(path));
    return blob === undefined ? [] : [{ ...blob, path }];
  });
  const manifests = (records ?? []).flatMap(path => {
    const digest = entryDigest(basename(path));
    return digest === undefined ? [] : [{ digest, path }];
  });
  const name = (await readRecord(join(folder, "name")))?.["name"];
  const isNamed = typeof name === "string" && folder.endsWith(nameHash(name));
  if (!isNamed) doubts.push({ path: join(folder, "name"), found: "not what this server wrote" });
  const reached = new Set<Digest>();
  const known = new Map<Digest, ManifestLinks>();
  for (const { digest, path } of manifests) {
    signal?.throwIfAborted();
    if ((await readRecord(path))?.["digest"] !== digest) doubts.push({ path, found: "not what this server wrote" });
    const links = await linksOf(digest, contentPath(digest));
    if (typeof links === "string") {
      doubts.push({ path: contentPath(digest), found: links });
      continue;
    }
    known.set(digest, links);
    for (const child of links.children) reached.add(child);
  }
  const tagged = taggedOf(known, await tagsIn(join(folder, "tags")));
  const isBlind = blobs === undefined || records === undefined;
  const isWhole = doubts.length > 0 || isBlind;
  const loose = isWhole ? [] : links.filter(({ digest }) => !reached.has(digest));
  const untagged = [...known.keys()].filter(digest => !tagged.has(digest));
  const kept = new Set(manifests.map(({ digest }) => digest));
  for (const { digest } of links) if (isWhole || reached.has(digest)) kept.add(digest);
  return { name: isNamed ? name : undefined, manifests: manifests.length, untagged, kept, loose, doubts, isBlind };
}

async function pathsIn(folder: string, doubts: Doubt[]): Promise<readonly string[] | undefined> {
  const found = await lstat(folder).catch(() => undefined);
  if (found?.isDirectory() === true) return (await readdir(folder)).map(entry => join(folder, entry));
  doubts.push({ path: folder, found: found === undefined ? "no folder" : "no folder of this store" });
  return undefined;
}

interface ManifestLinks {
  readonly children: readonly Digest[];
  readonly subject: Digest | undefined;
}

async function tagsIn(folder: string): Promise<readonly Digest[]> {
  const tags: Digest[] = [];
  for (const path of (await pathsIn(folder, [])) ?? []) {
    const digest = (await readRecord(path))?.["digest"];
    if (isDigest(digest)) tags.push(digest);
  }
  return tags;
}

function taggedOf(known: ReadonlyMap<Digest, ManifestLinks>, tags: readonly Digest[]): ReadonlySet<Digest> {
  const referrers = groupedBy(known, ([, { subject }]) => subject);
  const found = new Set(tags);
  // A set also gives what is added on the way.
  for (const digest of found) {
    for (const child of known.get(digest)?.children ?? []) found.add(child);
    for (const [referrer] of referrers.get(digest) ?? []) found.add(referrer);
  }
  return found;
}

/** @returns what is found in place of a manifest whose children are known. */
async function linksOf(digest: Digest, path: string): Promise<ManifestLinks | string> {
  const bytes = await readSmallFile(path, MAX_MANIFEST_BYTES);
  if (bytes === undefined) return "no file that can be read";
  const found = digestOf(bytes, digestAlgorithm(digest));
  if (found !== digest) return found;
  const view = viewOf(bytes);
  if (view === undefined) return "a manifest that cannot be read";
  if (view.kind === "other" && view.blobs.length === 0)
    return `a manifest of type ${view.mediaType}, whose needs are not known`;
  return { children: manifestChildren(view).map(child => child.digest), subject: view.subject?.digest };
}

function viewOf(bytes: Uint8Array): ManifestView | undefined {
  try {
    return parseManifest(bytes, { where: "the store", maxBytes: MAX_MANIFEST_BYTES });
  } catch {
    return undefined;
  }
}
