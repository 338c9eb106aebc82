import type { Root } from "../../content/contracts.ts";
import { UsageError } from "../../errors.ts";
import type { TargetName } from "../../oci/names/image-mapping.ts";
import { digestNameOf, tagNameOf, tagOwners } from "../../oci/names/pinned-names.ts";
import { parseReference } from "../../oci/reference.ts";
import { appendTo } from "../../util/append.ts";
import { quote } from "../../util/format.ts";
import { chooseImage, idOf } from "./choose-image.ts";
import type { PushNames } from "./push-names.ts";

/** The images that go to one repository, named by their tags there. */
export interface Destination {
  readonly registry: string;
  readonly repository: string;
  /** True if the archive names them by digest alone: they are put by their digests, without tags, and do not change. */
  readonly isPinned: boolean;
  readonly roots: readonly Root[];
}

export interface Destinations {
  readonly found: readonly Destination[];
  /** One for each image that has no name to push it under. */
  readonly nameless: readonly UsageError[];
  /** Names of the archive that images are pushed under. */
  readonly used: readonly { readonly root: Root; readonly name: string }[];
}

/**
 * Decides which image goes where. Names in an archive are proposals (security case M-06): one without a registry is
 * never sent to Docker Hub unasked, and an image without a name does not stop the others.
 *
 * @throws UsageError with what to pass, also if no image has a name; NotFoundError for an image that the archive does not
 * hold.
 */
export function destinations(roots: readonly Root[], pushNames: PushNames, what: string): Destinations {
  const chosen = chosenRoots(roots, pushNames, what);
  return chosenDestinations(chosen, pushNames, what, rootOwners(chosen));
}

/**
 * The same for images that are chosen already.
 *
 * @param owners of the tags of all images that are pushed.
 */
export function chosenDestinations(
  roots: readonly Root[],
  pushNames: PushNames,
  what: string,
  owners: TagOwners,
): Destinations {
  const { tags } = pushNames;
  const used = tags.length > 0 ? [] : roots.flatMap(root => usableNames(root, owners).map(name => ({ root, name })));
  // There may be thousands of roots: each name is looked at once.
  const namesOf = new Map<Root, TargetName[]>();
  for (const { root, name } of used) appendTo(namesOf, root, pushNames.fromArchive(name));
  const named =
    tags.length > 0 ? [tagged(roots, pushNames, what)] : roots.map(root => ({ root, names: namesOf.get(root) ?? [] }));
  const nameless = named.flatMap(({ root, names }) => (names.length > 0 ? [] : [withoutName(root, what)]));
  const [first] = nameless;
  if (first !== undefined && nameless.length === named.length) throw first;
  const found = new Map<string, Omit<Destination, "roots"> & { roots: Map<Root, string[]> }>();
  for (const { root, names } of named) {
    for (const { registry, repository, tag } of names) {
      const isPinned = tag === undefined;
      const key = `${registry}/${repository}${isPinned ? "@" : ""}`;
      const destination = found.get(key) ?? { registry, repository, isPinned, roots: new Map<Root, string[]>() };
      const known = destination.roots.get(root) ?? [];
      if (tag !== undefined && !known.includes(tag)) known.push(tag);
      destination.roots.set(root, known);
      found.set(key, destination);
    }
  }
  const all = [...found.values()].map(destination => ({
    ...destination,
    roots: [...destination.roots].map(([root, names]) => ({ ...root, names })),
  }));
  return { found: all, nameless, used };
}

type TagOwners = ReturnType<typeof tagOwners>;

/** Which image each tag means. */
export function rootOwners(roots: readonly Root[]): TagOwners {
  return tagOwners(roots.map(root => ({ id: idOf(root), names: root.names })));
}

/** The images that are pushed. @throws NotFoundError for one that the archive does not hold. */
export function chosenRoots(roots: readonly Root[], { images }: PushNames, what: string): readonly Root[] {
  return images.length === 0 ? roots : images.map(image => chooseImage(roots, image, "push", what));
}

/**
 * A digest is a name only for the manifest that has it: one that is made here gets another one. A tag that two images have
 * next to their digests is a name of neither.
 */
function usableNames(root: Root, owners: TagOwners): readonly string[] {
  return root.names.flatMap(name => {
    const tagName = tagNameOf(name);
    if (tagName !== undefined && (tagName === name || owners.get(tagName) === idOf(root))) return [name];
    return parseReference(name).digest === idOfManifest(root) ? (digestNameOf(name) ?? []) : [];
  });
}

function idOfManifest(root: Root): string | undefined {
  return root.kind === "draft" ? undefined : root.descriptor.digest;
}

function tagged(
  roots: readonly Root[],
  pushNames: PushNames,
  what: string,
): { readonly root: Root; readonly names: readonly TargetName[] } {
  const { tags } = pushNames;
  const [root, ...others] = roots;
  if (root === undefined || others.length > 0) {
    const known = roots.map(root => root.names[0] ?? idOf(root)).join(", ");
    throw new UsageError(
      `Cannot push ${what} as ${tags.join(", ")}: it holds ${roots.length} images (${known}), expected one`,
      {
        hint: "Choose one with --image NAME, or push all of them below one prefix with --to HOST/PREFIX.",
      },
    );
  }
  return { root, names: tags.map(tag => pushNames.fromTag(tag)) };
}

function withoutName(root: Root, what: string): UsageError {
  const [pinned] = root.names;
  const [bad] = root.badNames ?? [];
  const found =
    pinned !== undefined
      ? `the archive names it only ${pinned}, and its manifest has another digest`
      : bad === undefined
        ? "it has no name"
        : `its name ${quote(bad)} is none that a registry takes`;
  const expected = pinned === undefined && bad === undefined ? "one" : "a name with a tag";
  return new UsageError(`Cannot push image ${idOf(root)} from ${what}: ${found}, expected ${expected}`, {
    hint: "Name it with --tag REGISTRY/REPOSITORY:TAG.",
  });
}
