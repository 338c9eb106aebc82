import { UsageError } from "../../errors.ts";
import { formatReference, isRepository, parseReference } from "../../oci/reference.ts";
import { v1RepositoryName } from "../../registry/v1/v1-names.ts";
import type { V1Repository, V1Store } from "../../registry/v1/v1-store.ts";
import { quote } from "../../util/format.ts";
import type { ExpandedV1, V1Found } from "./expand-v1.ts";

export interface NamedV1 {
  /** Full names, by image. */
  readonly names: ReadonlyMap<V1Found, string>;
  /** Images that can get no name: a UsageError each. */
  readonly failed: ExpandedV1["failed"];
}

/**
 * Names of v1 images in an archive or another registry: `HOST[:PORT]/[NAMESPACE/]REPOSITORY:TAG` in lower case, without
 * `library/`; an image with a name of its own keeps that. Two repositories of one name get none, nor does a repository
 * that no other registry takes.
 */
export function nameV1Images(
  { images, listed }: Pick<ExpandedV1, "images" | "listed">,
  onNote: (message: string) => void,
): NamedV1 {
  const names = new Map<V1Found, string>();
  const failed: { readonly source: string; readonly error: UsageError }[] = [];
  const owners = ownersOf([...images.filter(({ name }) => name === undefined), ...listed]);
  const changed = new Set<string>();
  for (const image of images) {
    const { store, repository, tag, name, source } = image;
    if (name !== undefined) {
      names.set(image, withTag(name, tag));
      continue;
    }
    const lower = lowerName(store, repository);
    const own = v1RepositoryName(store, repository);
    const other = [...(owners.get(lower) ?? [])].find(owner => owner !== own);
    const path = lower.slice(store.registry.length + 1);
    if (other !== undefined) failed.push({ source, error: sharedName(own, other) });
    else if (!isRepository(path)) failed.push({ source, error: unusableName(source, path) });
    else names.set(image, `${lower}:${tag}`);
    const full = fullName(store, repository);
    if (!names.has(image) || lower === full || changed.has(lower)) continue;
    changed.add(lower);
    onNote(`${quote(full)} is named ${quote(lower)}: upper case is legal in v1 alone`);
  }
  return { names, failed };
}

/** Repositories by their names in lower case. */
function ownersOf(all: readonly Pick<V1Found, "store" | "repository">[]): ReadonlyMap<string, ReadonlySet<string>> {
  const owners = new Map<string, Set<string>>();
  for (const { store, repository } of all) {
    const lower = lowerName(store, repository);
    const known = owners.get(lower) ?? new Set();
    owners.set(lower, known.add(v1RepositoryName(store, repository)));
  }
  return owners;
}

function sharedName(own: string, other: string): UsageError {
  return new UsageError(
    `Cannot name ${quote(own)}: found ${quote(other)} with the same name in lower case, expected one`,
    { hint: `Copy them one by one, each with a name of its own: a line "${own}:TAG -> NAME" in a file for -f.` },
  );
}

function unusableName(source: string, path: string): UsageError {
  return new UsageError(
    `Cannot name ${quote(source)}: found repository ${quote(path)}, expected one that other registries take`,
    { hint: `Give it a name of its own: a line "${source} -> NAME" in a file for -f.` },
  );
}

function lowerName(store: V1Store, repository: V1Repository): string {
  return fullName(store, repository).toLowerCase();
}

/** Without `library/`. */
function fullName({ registry }: V1Store, { namespace, name }: V1Repository): string {
  return namespace === "library" ? `${registry}/${name}` : `${registry}/${namespace}/${name}`;
}

function withTag(name: string, tag: string): string {
  const reference = parseReference(name);
  return formatReference(reference.tag === undefined ? { ...reference, tag } : reference);
}
