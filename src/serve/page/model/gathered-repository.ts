import type { Digest } from "../../../oci/digest.ts";
import { MAX_INDEX_DEPTH } from "../../../oci/limits.ts";
import { parseReferrersTag, referrersTag } from "../../../oci/referrers/referrers-tag.ts";
import { appendTo } from "../../../util/append.ts";
import type { ManifestRecord, ServedRegistry, ServedRepository } from "../../content/served-registry.ts";
import type { ManifestShelf } from "./manifest-shelf.ts";

/** A manifest that refers to another one, by its subject or by cosign's tag. */
export interface GatheredReferrer {
  readonly record: ManifestRecord;
  readonly tag: string | undefined;
}

/** A repository whose manifests have been read. */
export interface GatheredRepository {
  readonly repository: ServedRepository;
  /** What people call an image: by tag, cosign's left out. */
  readonly tagged: readonly { readonly tag: string; readonly record: ManifestRecord }[];
  /** Manifests without a tag that no index has and that refer to nothing. */
  readonly untagged: readonly ManifestRecord[];
  /** By the stem of the tag, which is made of the digest of the image. */
  readonly byTag: ReadonlyMap<string, readonly GatheredReferrer[]>;
}

/** Names of a repository, before anything is read. */
interface Listed {
  readonly repository: ServedRepository;
  readonly tagged: { readonly tag: string; readonly record: ManifestRecord }[];
  readonly byTag: Map<string, GatheredReferrer[]>;
  /** Manifests that are images, parts of one, or have a tag. */
  readonly reached: Set<Digest>;
}

/** Lists all repositories, and reads the manifests of all images, and of what refers to them. */
export async function gatherRepositories(
  registry: ServedRegistry,
  shelf: ManifestShelf,
  signal: AbortSignal,
): Promise<readonly GatheredRepository[]> {
  const listed: Listed[] = [];
  for (const name of registry.names()) {
    signal.throwIfAborted();
    const repository = await registry.repository(name);
    if (repository !== undefined) listed.push(listTags(repository));
  }
  const named = listed.map(
    each =>
      new Tree(
        each,
        each.tagged.map(({ record }) => record),
      ),
  );
  await readTrees(named, shelf, signal);
  const others = listed.map(each => {
    const roots = untaggedOf(each);
    return { tree: new Tree(each, roots), roots };
  });
  await readTrees(
    others.map(({ tree }) => tree),
    shelf,
    signal,
  );
  const gathered = others.map(
    ({
      tree: {
        listed: { repository, tagged, byTag },
        parts,
      },
      roots,
    }) => ({
      repository,
      tagged,
      byTag,
      untagged: roots.filter(({ digest }) => !parts.has(digest)),
    }),
  );
  await shelf.readManifests(referrerRecords(listed), signal);
  await shelf.readPlatforms(lonelyConfigs(gathered, shelf), signal);
  return gathered;
}

function listTags(repository: ServedRepository): Listed {
  const listed: Listed = { repository, tagged: [], byTag: new Map(), reached: new Set() };
  let stems: ReadonlySet<string> | undefined;
  for (const tag of repository.tags()) {
    const digest = repository.tagged(tag);
    const record = digest === undefined ? undefined : repository.manifest(digest);
    if (record === undefined) continue;
    listed.reached.add(record.digest);
    const { stem, suffix } = parseReferrersTag(tag) ?? {};
    if (stem !== undefined) stems ??= new Set([...repository.manifests()].map(each => referrersTag(each.digest)));
    // What cosign made for an image that is not here is all that there is: people must see it.
    if (stem === undefined || !stems?.has(stem)) listed.tagged.push({ tag, record });
    else if (suffix !== undefined) appendTo(listed.byTag, stem, { record, tag });
  }
  return listed;
}

function untaggedOf({ repository, reached }: Listed): readonly ManifestRecord[] {
  return [...repository.manifests()].filter(({ digest, subject }) => {
    const isReferrer = subject !== undefined && repository.manifest(subject) !== undefined;
    return !reached.has(digest) && !isReferrer;
  });
}

/** Manifests of one repository, level by level. */
class Tree {
  readonly listed: Listed;
  /** What the last level found, and was not read yet. */
  level: readonly ManifestRecord[];
  /** Manifests that others have below them. */
  readonly parts = new Set<Digest>();

  constructor(listed: Listed, roots: readonly ManifestRecord[]) {
    this.listed = listed;
    this.level = roots;
  }

  descend(shelf: ManifestShelf): void {
    const { repository, reached } = this.listed;
    const below: ManifestRecord[] = [];
    for (const { digest } of this.level) {
      reached.add(digest);
      for (const child of shelf.manifest(digest)?.children ?? []) {
        if (this.parts.has(child.digest)) continue;
        this.parts.add(child.digest);
        const record = repository.manifest(child.digest);
        if (record !== undefined) below.push(record);
      }
    }
    this.level = below;
  }
}

async function readTrees(trees: readonly Tree[], shelf: ManifestShelf, signal: AbortSignal): Promise<void> {
  for (let depth = 0; depth <= MAX_INDEX_DEPTH && trees.some(({ level }) => level.length > 0); depth += 1) {
    await shelf.readManifests(
      trees.flatMap(({ level }) => level),
      signal,
    );
    for (const tree of trees) tree.descend(shelf);
  }
}

function* referrerRecords(listed: readonly Listed[]): Generator<ManifestRecord, void> {
  for (const { repository, reached, byTag } of listed) {
    for (const digest of reached) yield* repository.referrersOf(digest);
    for (const referrers of byTag.values()) for (const { record } of referrers) yield record;
  }
}

/** Configs of images that no index describes. */
function* lonelyConfigs(
  gathered: readonly GatheredRepository[],
  shelf: ManifestShelf,
): Generator<{ readonly repository: ServedRepository; readonly config: Digest }, void> {
  for (const { repository, tagged, untagged } of gathered) {
    for (const { digest } of [...tagged.map(({ record }) => record), ...untagged]) {
      const { config, isArtifact = true } = shelf.manifest(digest) ?? {};
      if (config !== undefined && !isArtifact) yield { repository, config: config.digest };
    }
  }
}
