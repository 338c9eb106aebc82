import type { Root } from "../../content/contracts.ts";
import { NotFoundError, UsageError } from "../../errors.ts";
import { type Digest, isDigest } from "../../oci/digest.ts";
import { parseReference, type Reference, resolveDockerHub } from "../../oci/reference.ts";
import { quote } from "../../util/format.ts";

export interface PushNameOptions {
  /** Takes the place of whatever registry the archive names. */
  readonly registry?: string | undefined;
  /** For names without a registry only: `IMGPACK_REGISTRY`. */
  readonly defaultRegistry?: string | undefined;
  /** `host/prefix` that names are put below: all of the archive's, and of `tags` those without a registry. */
  readonly to?: string | undefined;
  /** Names for the one image that is pushed, instead of the archive's. */
  readonly tags?: readonly string[] | undefined;
  /** Only the images with these names or digests. */
  readonly images?: readonly string[] | undefined;
}

/** The images that go to one repository, named by their tags there. */
export interface Destination {
  readonly registry: string;
  readonly repository: string;
  readonly roots: readonly Root[];
}

interface Name {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
}

/**
 * Decides which image goes where. Names in an archive are proposals (security case M-06): one without a registry is
 * never sent to Docker Hub unasked.
 *
 * @throws UsageError with what to pass; NotFoundError for an image that the archive does not hold.
 */
export function destinations(roots: readonly Root[], options: PushNameOptions, what: string): readonly Destination[] {
  const chosen = chooseImages(roots, options.images, what);
  const named = options.tags?.length
    ? [tagged(chosen, options.tags, options, what)]
    : chosen.map(root => ({
        root,
        names: namesOf(root, what).map(name => target(name, options)),
      }));
  const found = new Map<string, { registry: string; repository: string; roots: Map<Root, string[]> }>();
  for (const { root, names } of named) {
    for (const { registry, repository, tag } of names) {
      const key = `${registry}/${repository}`;
      const place = found.get(key) ?? { registry, repository, roots: new Map<Root, string[]>() };
      const tags = place.roots.get(root) ?? [];
      if (!tags.includes(tag)) tags.push(tag);
      place.roots.set(root, tags);
      found.set(key, place);
    }
  }
  return [...found.values()].map(place => ({
    ...place,
    roots: [...place.roots].map(([root, names]) => ({ ...root, names })),
  }));
}

/** Where the tags that the user typed go, each place once. @throws UsageError for a tag without a registry, or with a digest. */
export function tagPlaces(options: PushNameOptions): readonly Pick<Destination, "registry" | "repository">[] {
  const places = new Map<string, Pick<Destination, "registry" | "repository">>();
  for (const tag of options.tags ?? []) {
    const { registry, repository } = explicit(parseReference(tag), tag, options);
    places.set(`${registry}/${repository}`, { registry, repository });
  }
  return [...places.values()];
}

function chooseImages(roots: readonly Root[], images: readonly string[] | undefined, what: string): readonly Root[] {
  if (images === undefined || images.length === 0) return roots;
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
  tags: readonly string[],
  options: PushNameOptions,
  what: string,
): { readonly root: Root; readonly names: readonly Name[] } {
  const [root, ...others] = roots;
  if (root === undefined || others.length > 0) {
    const known = roots.map(root => root.names[0] ?? idOf(root)).join(", ");
    throw new UsageError(
      `Cannot push ${what} as ${tags.join(", ")}: it holds ${roots.length} images (${known}), expected one`,
      {
        hint: "Choose one with --image NAME, or give all of them a place with --to HOST/PREFIX.",
      },
    );
  }
  return { root, names: tags.map(tag => explicit(parseReference(tag), tag, options)) };
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

/** A name from the archive, moved to where the options say. */
function target(name: string, { registry, defaultRegistry, to }: PushNameOptions): Name {
  const { tag = "latest", ...reference } = parseReference(name);
  const isHub = reference.registry === "docker.io" || reference.registry === undefined;
  const repository = isHub ? reference.repository.replace(/^library\/(?=[^/]+$)/, "") : reference.repository;
  if (to !== undefined) return { ...below(to, repository), tag };
  // An empty variable is one that is not set.
  const own = isHub ? defaultRegistry || undefined : reference.registry;
  const chosen = registry ?? own;
  if (chosen === undefined) throw noRegistry(`${repository}:${tag}`);
  return { registry: chosen, repository, tag };
}

/** A name that the user typed: with a registry, it is meant as it stands. */
function explicit(reference: Reference, text: string, { registry, defaultRegistry, to }: PushNameOptions): Name {
  if (reference.digest !== undefined) {
    throw new UsageError(`Cannot push to ${quote(text)}: it names a digest, expected a tag`, {
      hint: "Leave out the digest: it follows from the image, and push prints it.",
    });
  }
  const { tag = "latest" } = reference;
  if (reference.registry === undefined && to !== undefined) return { ...below(to, reference.repository), tag };
  const chosen = (reference.registry ?? registry ?? defaultRegistry) || undefined;
  if (chosen === undefined) throw noRegistry(text);
  return { registry: chosen, repository: resolveName(chosen, reference), tag };
}

function resolveName(registry: string, reference: Reference): string {
  return resolveDockerHub({ ...reference, registry }).repository;
}

function below(to: string, repository: string): Pick<Name, "registry" | "repository"> {
  const prefix = parsePrefix(to);
  return { ...prefix, repository: [prefix.repository, repository].filter(Boolean).join("/") };
}

function parsePrefix(to: string): { readonly registry: string; readonly repository: string } {
  const text = to.replace(/\/+$/, "");
  if (!text.includes("/")) return { registry: text, repository: "" };
  const { registry, repository } = parseReference(text);
  if (registry !== undefined) return { registry, repository };
  throw new UsageError(`Cannot push to ${quote(to)}: no registry named, expected HOST/PREFIX`, {
    hint: "A registry has a dot or a port, as in --to registry.lan:5000/team.",
  });
}

function spell({ registry, repository, tag = "latest" }: Reference): string {
  return `${registry}/${repository}:${tag}`;
}

function noRegistry(name: string): UsageError {
  return new UsageError(`Cannot push ${name}: no registry named, expected --registry or IMGPACK_REGISTRY`, {
    hint: "Try --registry registry.lan:5000, or --tag docker.io/NAME/REPOSITORY:TAG for Docker Hub.",
  });
}
