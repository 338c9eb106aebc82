import { UsageError } from "../../errors.ts";
import { formatReference, isRepository, parseReference } from "../../oci/reference.ts";
import type { V1Repository, V1Store } from "../../registry/v1/v1-store.ts";
import { quote } from "../../util/format.ts";
import { type ExpandedV1, type V1Found, v1RepositoryName } from "./expand-v1.ts";

/**
 * Names of v1 images in an archive or another registry: `HOST[:PORT]/[NAMESPACE/]REPOSITORY:TAG` in lower case, without
 * `library/`; an image with a name of its own keeps that.
 *
 * @returns full names, by image.
 * @throws UsageError for two repositories of one name, and for a name that no other registry takes.
 */
export function nameV1Images(
  { images, listed }: Pick<ExpandedV1, "images" | "listed">,
  onNote: (message: string) => void,
): ReadonlyMap<V1Found, string> {
  const names = new Map<V1Found, string>();
  const owners = new Map<string, string>();
  const claim = (store: V1Store, repository: V1Repository): string => {
    const lower = lowerName(store, repository);
    const own = v1RepositoryName(store, repository);
    const other = owners.get(lower) ?? own;
    owners.set(lower, other);
    if (other === own) return lower;
    throw new UsageError(
      `Cannot name ${quote(own)}: found ${quote(other)} with the same name in lower case, expected one`,
      {
        hint: `Copy them one by one, each with a name of its own: a line "${own}:TAG -> NAME" in a file for -f.`,
      },
    );
  };
  const wanted = new Set<string>();
  for (const image of images) {
    if (image.name !== undefined) {
      names.set(image, withTag(image.name, image.tag));
      continue;
    }
    const lower = claim(image.store, image.repository);
    const path = lower.slice(image.store.registry.length + 1);
    if (!isRepository(path)) {
      throw new UsageError(
        `Cannot name ${quote(image.source)}: found repository ${quote(path)}, expected one that other registries take`,
        { hint: `Give it a name of its own: a line "${image.source} -> NAME" in a file for -f.` },
      );
    }
    const isChanged = lower !== fullName(image.store, image.repository);
    if (isChanged && !wanted.has(lower) && /[A-Z]/.test(`${image.repository.namespace}${image.repository.name}`))
      onNote(
        `${quote(fullName(image.store, image.repository))} is named ${quote(lower)}: upper case is legal in v1 alone`,
      );
    wanted.add(lower);
    names.set(image, `${lower}:${image.tag}`);
  }
  for (const { store, repository } of listed) if (wanted.has(lowerName(store, repository))) claim(store, repository);
  return names;
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
