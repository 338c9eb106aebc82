import type { Root } from "../../content/contracts.ts";
import { NotFoundError, UsageError } from "../../errors.ts";
import { type Digest, isDigest } from "../../oci/digest.ts";
import { parseReference, type Reference, resolveDockerHub } from "../../oci/reference.ts";
import { quote } from "../../util/format.ts";
import type { PushName, PushNames } from "./push-names.ts";

/** The images that go to one repository, named by their tags there. */
export interface Destination {
  readonly registry: string;
  readonly repository: string;
  readonly roots: readonly Root[];
}

/**
 * Decides which image goes where. Names in an archive are proposals (security case M-06): one without a registry is
 * never sent to Docker Hub unasked.
 *
 * @throws UsageError with what to pass; NotFoundError for an image that the archive does not hold.
 */
export function destinations(roots: readonly Root[], pushNames: PushNames, what: string): readonly Destination[] {
  const chosen = chooseImages(roots, pushNames.images, what);
  const named =
    pushNames.tags.length > 0
      ? [tagged(chosen, pushNames, what)]
      : chosen.map(root => ({ root, names: namesOf(root, what).map(name => pushNames.fromArchive(name)) }));
  const found = new Map<string, { registry: string; repository: string; roots: Map<Root, string[]> }>();
  for (const { root, names } of named) {
    for (const { registry, repository, tag } of names) {
      const key = `${registry}/${repository}`;
      const destination = found.get(key) ?? { registry, repository, roots: new Map<Root, string[]>() };
      const tags = destination.roots.get(root) ?? [];
      if (!tags.includes(tag)) tags.push(tag);
      destination.roots.set(root, tags);
      found.set(key, destination);
    }
  }
  return [...found.values()].map(destination => ({
    ...destination,
    roots: [...destination.roots].map(([root, names]) => ({ ...root, names })),
  }));
}

function chooseImages(roots: readonly Root[], images: readonly string[], what: string): readonly Root[] {
  if (images.length === 0) return roots;
  return images.map(image => {
    const full = isDigest(image) ? undefined : spell(resolveDockerHub(parseReference(image)));
    const root = roots.find(root => (full === undefined ? idOf(root) === image : root.names.includes(full)));
    if (root === undefined) {
      const known = roots.flatMap(root => (root.names.length > 0 ? root.names : [idOf(root)]));
      throw new NotFoundError(
        `Cannot push ${quote(image)} from ${what}: no such image, expected ${known.join(" or ") || "none"}`,
        {
          hint: 'See what is in the archive with "imgpack inspect".',
        },
      );
    }
    return full === undefined ? root : { ...root, names: [full] };
  });
}

function tagged(
  roots: readonly Root[],
  pushNames: PushNames,
  what: string,
): { readonly root: Root; readonly names: readonly PushName[] } {
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

function namesOf(root: Root, what: string): readonly string[] {
  if (root.names.length > 0) return root.names;
  throw new UsageError(`Cannot push image ${idOf(root)} from ${what}: it has no name, expected one`, {
    hint: "Name it with --tag REGISTRY/REPOSITORY:TAG.",
  });
}

/** What names an image that has no name: the config's digest before it has a manifest, else the manifest's. */
function idOf(root: Root): Digest {
  return root.kind === "draft" ? root.draft.config.digest : root.descriptor.digest;
}

function spell({ registry, repository, tag = "latest" }: Reference): string {
  return `${registry}/${repository}:${tag}`;
}
