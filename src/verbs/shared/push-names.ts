import { UsageError } from "../../errors.ts";
import { type ImageMapping, mapImageName, type TargetName } from "../../oci/names/image-mapping.ts";
import { claimsOf } from "../../oci/names/target-collisions.ts";
import { familiarName, parseReference, type Reference, resolveDockerHub } from "../../oci/reference.ts";
import { quote } from "../../util/format.ts";
import { type MappingOptions, readMapping } from "../options/mapping-options.ts";
import { listOf } from "../options/option-values.ts";
import { belowPrefix, type Prefix, parsePrefix } from "../options/prefix.ts";
import { type RegistryOptions, registryOptions } from "../options/registry-options.ts";

/** Options that decide which images are pushed, and under which names. */
export interface PushNameOptions extends MappingOptions {
  /**
   * How registries are named and reached; a string is short for `{ host }`. `host` replaces the registries that the
   * archive names.
   */
  readonly registry?: string | RegistryOptions | undefined;
  /** `host[:port][/prefix]` that images are put below: all names of the archive, and those of `tag` without a registry. */
  readonly to?: string | undefined;
  /** `[registry/]repository[:tag]` for the one image that is pushed, in place of the names in the archive. */
  readonly tag?: string | readonly string[] | undefined;
  /** Pushes only the images with these names or digests. Default: all images of the archive. */
  readonly image?: string | readonly string[] | undefined;
}

/** What the options of one push say about names. */
export class PushNames {
  /** Chosen images, as the user typed them; empty for all. */
  readonly images: readonly string[];
  /** Names for the one image, as the user typed them. */
  readonly tags: readonly string[];
  readonly #host: string | undefined;
  readonly #defaultHost: string | undefined;
  readonly #to: Prefix | undefined;
  readonly #mapping: Pick<ImageMapping, "layout" | "maps">;

  /** @throws UsageError for options that contradict each other. */
  constructor({ registry, to, tag, image, layout, map }: PushNameOptions) {
    const { host, defaultHost } = registryOptions(registry);
    this.images = listOf(image);
    this.tags = listOf(tag);
    this.#host = host;
    this.#defaultHost = defaultHost;
    this.#to = to === undefined ? undefined : parsePrefix("push to", to);
    this.#mapping = readMapping({ layout, map });
    const flag = layout !== undefined ? "--layout" : map !== undefined ? "--map" : undefined;
    if (flag === undefined) return;
    if (this.tags.length > 0) {
      throw new UsageError(
        `Cannot use ${flag} with --tag: it says where the names in an archive go, expected one of them`,
      );
    }
    if (to !== undefined || host !== undefined) return;
    throw new UsageError(`Cannot use ${flag}: it says where names go below a target, expected --to or --registry`);
  }

  /** A full name from the archive, moved to the registry that the options name. */
  fromArchive(name: string): TargetName {
    return mapImageName(parseReference(name), this.#mappingOf(name));
  }

  /**
   * Where images of a repository are at a registry, if the options put them there.
   *
   * @param name `registry/repository`.
   */
  repositoryAt(name: string, registry: string): string | undefined {
    if (this.tags.length > 0) return undefined;
    try {
      const at = this.fromArchive(name);
      return at.registry === registry ? at.repository : undefined;
    } catch (error) {
      // Too long below the target, or on Docker Hub, which is never pushed to unasked: nothing is there.
      if (error instanceof UsageError) return undefined;
      throw error;
    }
  }

  /** The names at the registry that a name from the archive takes. */
  claims(name: string): readonly string[] {
    return claimsOf(parseReference(name), this.#mappingOf(name));
  }

  #mappingOf(name: string): ImageMapping {
    if (this.#to !== undefined) return { ...this.#mapping, registry: this.#to.registry, prefix: this.#to.repository };
    const reference = resolveDockerHub(parseReference(name));
    const registry = this.#host ?? (reference.registry === "docker.io" ? this.#defaultHost : reference.registry);
    if (registry === undefined) throw noRegistry(familiarName(reference));
    return { ...this.#mapping, registry, prefix: "" };
  }

  /** A name that the user typed: a registry in it is meant. @throws UsageError for one without registry, or with a digest. */
  fromTag(text: string): TargetName {
    const reference = parseReference(text);
    if (reference.digest !== undefined) {
      throw new UsageError(`Cannot push to ${quote(text)}: it names a digest, expected a tag`, {
        hint: "Leave out the digest: it follows from the image, and push prints it.",
      });
    }
    const { tag = "latest" } = reference;
    if (reference.registry === undefined && this.#to !== undefined) {
      return { ...belowPrefix(this.#to, reference.repository), tag };
    }
    const registry = (reference.registry ?? this.#host ?? this.#defaultHost) || undefined;
    if (registry === undefined) throw noRegistry(text);
    return { registry, repository: repositoryAt(registry, reference), tag };
  }

  /** Registries that the options name, as a push would reach them. */
  registries(): readonly string[] {
    const inTags = this.tags.flatMap(text => parseReference(text).registry ?? []);
    return [...inTags, ...(this.#to === undefined ? [] : [this.#to.registry])];
  }

  /** The repositories that `tags` name, each once. */
  repositories(): readonly Pick<TargetName, "registry" | "repository">[] {
    const found = new Map<string, Pick<TargetName, "registry" | "repository">>();
    for (const text of this.tags) {
      const { registry, repository } = this.fromTag(text);
      found.set(`${registry}/${repository}`, { registry, repository });
    }
    return [...found.values()];
  }
}

function repositoryAt(registry: string, reference: Reference): string {
  return resolveDockerHub({ ...reference, registry }).repository;
}

function noRegistry(name: string): UsageError {
  return new UsageError(`Cannot push ${name}: no registry named, expected --registry or IMGPACK_REGISTRY`, {
    hint: "Try --registry registry.lan:5000, or --tag docker.io/NAME/REPOSITORY:TAG for Docker Hub.",
  });
}
