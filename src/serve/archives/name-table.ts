import type { Root } from "../../content/contracts.ts";
import { idOf } from "../../content/root-id.ts";
import { UsageError } from "../../errors.ts";
import { mapImageName } from "../../oci/names/image-mapping.ts";
import { tagOwners } from "../../oci/names/pinned-names.ts";
import { repositoryOf } from "../../oci/names/repository-of.ts";
import { formatReference, parseReference, type Reference, resolveDockerHub } from "../../oci/reference.ts";
import { appendTo } from "../../util/append.ts";

/** The images of one repository, by the names that they have in the archive. */
export interface NamedImages {
  /** `registry/path` */
  readonly original: string;
  readonly registry: string;
  readonly path: string;
  /** As one path, where ":" is not allowed: `registry.lan_5000/team/app`. */
  readonly full: string;
  readonly roots: ReadonlySet<Root>;
  readonly tags: ReadonlyMap<string, Root>;
}

const HUB = "docker.io";

/**
 * What names of repositories mean. A full name always means itself. With a registry next to it (`?ns=`), a path is one of
 * that registry. Alone, it is one of Docker Hub, or else one that a single registry has.
 */
export class NameTable {
  /** By `original`. */
  readonly #images = new Map<string, NamedImages>();
  readonly #byFull = new Map<string, NamedImages>();
  readonly #byPath = new Map<string, NamedImages[]>();
  readonly namespaces: ReadonlySet<string>;

  constructor(roots: readonly Root[]) {
    for (const images of namedImages(roots)) {
      this.#images.set(images.original, images);
      if (!this.#byFull.has(images.full)) this.#byFull.set(images.full, images);
      appendTo(this.#byPath, images.path, images);
    }
    this.namespaces = new Set([...this.#images.values()].map(({ registry }) => registry));
  }

  find(name: string, ns?: string): NamedImages | undefined {
    if (ns !== undefined) return this.#images.get(nameAt(ns, name)) ?? this.#ownFull(name, ns);
    const found = this.#byFull.get(name) ?? this.#images.get(nameAt(HUB, name));
    if (found !== undefined) return found;
    const [only, ...others] = this.#byPath.get(name) ?? [];
    return others.length === 0 ? only : undefined;
  }

  /** containerd says the registry also where `hosts.toml` puts it in front of the path. */
  #ownFull(name: string, ns: string): NamedImages | undefined {
    const images = this.#byFull.get(name);
    return images?.registry === ns ? images : undefined;
  }

  /** The full names that a path may mean, if they are several. */
  namesakes(name: string): readonly string[] {
    if (this.find(name) !== undefined) return [];
    return (this.#byPath.get(name) ?? []).map(({ full }) => full).sort();
  }

  *names(ns?: string): Generator<string, void> {
    for (const { registry, path, full } of this.#images.values()) {
      if (ns === undefined) yield full;
      else if (registry === ns) yield path;
    }
  }
}

/** What no name leads to, as a repository without a name. */
export function unnamedImages(roots: readonly Root[]): NamedImages {
  const unnamed = new Set(roots.filter(({ names }) => names.length === 0));
  return { original: "", registry: "", path: "", full: "", roots: unnamed, tags: new Map() };
}

/** Official images are `library/…` at Docker Hub. */
function nameAt(registry: string, repository: string): string {
  const { tag: _, ...name } = resolveDockerHub({ registry, repository });
  return formatReference(name);
}

function namedImages(roots: readonly Root[]): readonly NamedImages[] {
  // Names with a digest are few.
  const isPinned = roots.some(root => root.names.some(name => name.includes("@")));
  const owners = isPinned ? tagOwners(roots.map(root => ({ id: idOf(root), names: root.names }))) : undefined;
  const found = new Map<string, NamedImages & { readonly roots: Set<Root>; readonly tags: Map<string, Root> }>();
  for (const root of roots) {
    for (const name of root.names) {
      const reference = parseReference(name);
      const { tag } = reference;
      const original = repositoryOf(name);
      let images = found.get(original);
      if (images === undefined) {
        images = { ...namesOf(reference, original), roots: new Set(), tags: new Map() };
        found.set(original, images);
      }
      images.roots.add(root);
      // A tag that comes with two digests means none of them.
      const isOwner = owners === undefined || owners.get(`${original}:${tag}`) === idOf(root);
      if (tag !== undefined && isOwner) images.tags.set(tag, root);
    }
  }
  return [...found.values()];
}

function namesOf(reference: Reference, original: string): Pick<NamedImages, "original" | "registry" | "path" | "full"> {
  const { registry, repository: path } = resolveDockerHub(reference);
  return { original, registry, path, full: fullName(reference) ?? original };
}

/** Undefined for a name that is too long for one path: then `ns` alone leads to it. */
function fullName(reference: Reference): string | undefined {
  try {
    return mapImageName(reference, { registry: "", prefix: "", layout: "full" }).repository;
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}
