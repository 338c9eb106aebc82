import type { Root } from "../../content/contracts.ts";
import { idOf } from "../../content/root-id.ts";
import { NotFoundError, UsageError } from "../../errors.ts";
import { isDigest } from "../../oci/digest.ts";
import { type KnownName, nearestNames } from "../../oci/names/nearest-names.ts";
import { isNamed, tagNameOf } from "../../oci/names/pinned-names.ts";
import { formatReference, parseReference, resolveDockerHub } from "../../oci/reference.ts";
import { alternatives, escapeForeign, quote } from "../../util/format.ts";

/** Names in a message or a hint. */
const MAX_SHOWN = 3;

export { idOf } from "../../content/root-id.ts";

/**
 * The image that the user chose: a name selects it under this name alone, a digest under all of its names. A name may leave
 * out the tag or the digest of the name in the archive. What an archive has in place of a name selects it, too.
 *
 * @param what names the archive in messages.
 * @throws NotFoundError for an image that the archive does not contain; UsageError for a name that fits several;
 * BadReferenceError.
 */
export function chooseImage(
  roots: readonly Root[],
  image: string,
  verb: "push" | "convert" | "inspect",
  what: string,
): Root {
  const odd = roots.find(({ badNames = [] }) => badNames.includes(image));
  if (odd !== undefined) return { ...odd, names: [] };
  const [found, ...others] = isDigest(image) ? roots.filter(root => idOf(root) === image) : namedImages(roots, image);
  if (found !== undefined && others.length === 0) return found;
  if (found !== undefined) {
    throw new UsageError(
      `Cannot ${verb} ${quote(image)} from ${what}: it is ${[found, ...others].flatMap(({ names }) => names).join(" and ")}, expected one image`,
      { hint: "Add the digest to the name." },
    );
  }
  throw missingImage(roots, image, `${verb} ${quote(image)} from ${what}`);
}

function missingImage(roots: readonly Root[], image: string, whatFails: string): NotFoundError {
  const names = roots.flatMap(({ names }) => names);
  const known = [...names, ...roots.flatMap(root => (root.names.length > 0 ? [] : [idOf(root)]))];
  const few = known.length <= MAX_SHOWN;
  const expected = few ? known.map(name => escapeForeign(name)).join(" or ") || "none" : `one of ${known.length} names`;
  const nearest = few || isDigest(image) ? [] : nearestNames(resolved(image), names.map(knownName), MAX_SHOWN);
  const hint = 'See what is in the archive with "imgpack inspect".';
  return new NotFoundError(`Cannot ${whatFails}: no such image, expected ${expected}`, {
    hint: nearest.length === 0 ? hint : `Did you mean ${alternatives(nearest.map(quote))}?`,
  });
}

function resolved(image: string): string {
  return formatReference(resolveDockerHub(parseReference(image)));
}

function knownName(name: string): KnownName {
  const { registry = "", repository, tag } = parseReference(name);
  return { name, registry, path: repository, tag };
}

/** The images that a name fits, each with the names that it fits; one that has the very name is the only one. */
function namedImages(roots: readonly Root[], image: string): readonly Root[] {
  const wanted = resolveDockerHub(parseReference(image));
  const exact = formatReference(wanted);
  const owner = roots.find(({ names }) => names.includes(exact));
  if (owner !== undefined) return [{ ...owner, names: [exact] }];
  return roots.flatMap(root => {
    // A draft has no digest yet, so that none can be wrong.
    const isDigestFree = wanted.digest === undefined || root.kind === "draft" || wanted.digest === idOf(root);
    const names = root.names.filter(
      name => isNamed(name, wanted) || (isDigestFree && wanted.tag !== undefined && name === tagNameOf(exact)),
    );
    return names.length === 0 ? [] : [{ ...root, names }];
  });
}

const NAMES = new WeakMap<readonly Root[], ReadonlyMap<string, readonly string[]>>();

/** All names of an image in its archive, also if it was chosen by one of them. There may be thousands of images. */
export function namesInArchive(images: readonly Root[], image: Root): readonly string[] {
  // Of two that are alike, the first one.
  const names = NAMES.get(images) ?? new Map(images.toReversed().map(root => [idOf(root), root.names]));
  NAMES.set(images, names);
  return names.get(idOf(image)) ?? [];
}

/** Notes what an archive has in place of names. */
export function noteBadNames(roots: readonly Root[], what: string, onNote: (message: string) => void): void {
  for (const { badNames = [] } of roots) {
    for (const name of badNames) onNote(`Ignoring ${quote(name)} in ${what}: no registry takes it as a name`);
  }
}
