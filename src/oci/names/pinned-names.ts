import { formatReference, parseReference, type Reference } from "../reference.ts";

/**
 * A name with a digest is an image's own name, like one with a tag. One with both says the same twice: runtimes drop the
 * tag where they find a digest, so archives carry `repository:tag` and `repository@digest` next to each other.
 */
export interface NamedImage {
  /** Tells images apart, for example by the digest of the manifest. */
  readonly id: string;
  /** Full names. */
  readonly names: readonly string[];
}

/** `repository:tag` of a name, without its digest; undefined for a name without a tag. */
export function tagNameOf(name: string): string | undefined {
  const { digest: _, ...named } = parseReference(name);
  return named.tag === undefined ? undefined : formatReference(named);
}

/** `repository@digest` of a name, without its tag; undefined for a name without a digest. */
export function digestNameOf(name: string): string | undefined {
  const { tag: _, ...named } = parseReference(name);
  return named.digest === undefined ? undefined : formatReference(named);
}

/**
 * Which image each `repository:tag` means. A name without a digest decides. Among names with one, a tag that two images have
 * means neither: undefined.
 *
 * @returns by `repository:tag`, the `id` of the image.
 */
export function tagOwners(images: readonly NamedImage[]): ReadonlyMap<string, string | undefined> {
  const plain = new Map<string, string>();
  const pinned = new Map<string, string | undefined>();
  for (const { id, names } of images) {
    for (const name of names) {
      const tagName = tagNameOf(name);
      if (tagName === undefined) continue;
      if (tagName === name) plain.set(tagName, id);
      else pinned.set(tagName, pinned.has(tagName) && pinned.get(tagName) !== id ? undefined : id);
    }
  }
  return new Map([...pinned, ...plain]);
}

/** One name of an image in an index, in the two spellings that loaders read. */
export interface EntryName {
  /** `repository:tag` or `repository@digest`. */
  readonly name: string;
  readonly tag?: string;
}

/**
 * The entries that names of one image need: `repository:tag@digest` is found by its digest and by its tag.
 *
 * @param owners as `tagOwners` returns them, for all images of the archive.
 */
export function entryNames({ id, names }: NamedImage, owners: ReturnType<typeof tagOwners>): readonly EntryName[] {
  const entries = new Map<string, EntryName>();
  const pinnedWithTag = new Set<string>();
  for (const name of names) {
    const { tag } = parseReference(name);
    const digestName = digestNameOf(name);
    const tagName = tagNameOf(name);
    if (digestName !== undefined) add(entries, digestName, tag);
    if (digestName !== undefined && tag !== undefined) pinnedWithTag.add(digestName);
    if (tagName !== undefined && (tagName === name || owners.get(tagName) === id)) add(entries, tagName, tag);
  }
  return [...entries.values()]
    .filter(({ name, tag }) => tag !== undefined || !pinnedWithTag.has(name))
    .sort((left, right) => compare(left.name, right.name) || compare(left.tag ?? "", right.tag ?? ""));
}

function add(entries: Map<string, EntryName>, name: string, tag: string | undefined): void {
  entries.set(`${name} ${tag ?? ""}`, { name, ...(tag === undefined ? {} : { tag }) });
}

/** The inverse of `entryNames`: without names that another one says as well. */
export function foldNames(names: readonly string[]): readonly string[] {
  const both = names.filter(name => tagNameOf(name) !== undefined && digestNameOf(name) !== undefined);
  const said = new Set(both.flatMap(name => [tagNameOf(name), digestNameOf(name)]));
  return names.filter(name => !said.has(name));
}

/** Whether a name is what the user asked for: a part that was not asked for is free. */
export function isNamed(name: string, wanted: Reference): boolean {
  const { registry, repository, tag, digest } = parseReference(name);
  return (
    registry === wanted.registry &&
    repository === wanted.repository &&
    (wanted.tag === undefined || wanted.tag === tag) &&
    (wanted.digest === undefined || wanted.digest === digest)
  );
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
