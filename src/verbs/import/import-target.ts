import type { LayerProfile } from "../../compress/layer-profile.ts";
import type { Root } from "../../content/contracts.ts";
import { UsageError } from "../../errors.ts";
import { formatReference, parseReference, resolveDockerHub } from "../../oci/reference.ts";
import { quote } from "../../util/format.ts";
import type { Compression } from "../options/choices.ts";
import { type RegistryOptions, registryOptions } from "../options/registry-options.ts";
import { checkEnding } from "../output/open-output.ts";
import { chosenProfile } from "../shared/chosen-profile.ts";
import { type Destination, destinations } from "../shared/destinations.ts";
import { PushNames } from "../shared/push-names.ts";

/** Media types of a manifest: those of OCI, or Docker's schema 2. */
export type ManifestFormat = "oci" | "docker";

export interface ImportTargetOptions {
  /** `[registry/]repository[:tag]`: names of the image. */
  readonly tag: string | readonly string[];
  /** Archive to write. Default: the image is pushed to the registries that `tag` names. */
  readonly output?: string | undefined;
  /**
   * How registries are named and reached; a string is short for `{ host }`. `defaultHost` has no effect on names in an
   * archive.
   */
  readonly registry?: string | RegistryOptions | undefined;
  /** Default "auto". */
  readonly compression?: Compression | undefined;
  /** Default "oci". */
  readonly format?: ManifestFormat | undefined;
}

export interface ImportTarget {
  /** Full names in the archive. */
  readonly names: readonly string[];
  readonly destinations: readonly Destination[];
  /** Undefined leaves layers uncompressed. */
  readonly profile: LayerProfile | undefined;
  readonly isDocker: boolean;
  /** True without options for compression and format: an image that a registry has already may have any. */
  readonly isPlain: boolean;
}

/** Decides on the target before anything is read. @throws UsageError for options that contradict each other. */
export function importTarget(what: string, options: ImportTargetOptions): ImportTarget {
  const { output } = options;
  const pushNames = new PushNames({ registry: options.registry, tag: options.tag });
  const { tags } = pushNames;
  if (tags.length === 0) {
    throw new UsageError(`Cannot import ${what}: no name given, expected one`, {
      hint: "Name the image with --tag, such as --tag registry.lan:5000/base:1.0.",
    });
  }
  const format = options.format ?? "oci";
  const { host } = registryOptions(options.registry);
  const isArchive = output !== undefined;
  if (isArchive) checkEnding(output);
  const { profile } = chosenProfile(options.compression);
  if (format === "docker" && profile?.format === "zstd") {
    throw new UsageError(
      `Cannot import ${what} with --format docker: found --compression zstd, expected gzip or keep`,
      {
        hint: "Leave out --format: an OCI manifest can have zstd layers.",
      },
    );
  }
  return {
    names: isArchive ? [...new Set(tags.map(tag => archiveName(tag, host)))] : [],
    destinations: isArchive ? [] : destinations([NAMELESS], pushNames, what).found,
    profile,
    isDocker: format === "docker",
    isPlain: options.format === undefined && options.compression === undefined,
  };
}

/** Replaces the image until it is built: its destinations depend on the tags alone. */
const NAMELESS: Root = {
  kind: "settled",
  names: [],
  descriptor: { mediaType: "", digest: `sha256:${"0".repeat(64)}`, size: 0 },
};

/** Short names belong to Docker Hub, as in every other archive: loaders shorten them again. */
function archiveName(tag: string, registry: string | undefined): string {
  const reference = parseReference(tag);
  if (reference.digest !== undefined) {
    throw new UsageError(`Cannot import as ${quote(tag)}: it names a digest, expected a tag`, {
      hint: "Leave out the digest: it follows from the image, and import prints it.",
    });
  }
  const isFull = reference.registry !== undefined || registry === undefined;
  return formatReference(resolveDockerHub(isFull ? reference : { ...reference, registry }));
}
