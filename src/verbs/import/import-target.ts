import { type GzipProfile, gzipProfile } from "../../compress/gzip/gzip-profile.ts";
import type { Root } from "../../content/contracts.ts";
import { UsageError } from "../../errors.ts";
import { formatReference, parseReference, resolveDockerHub } from "../../oci/reference.ts";
import { quote } from "../../util/format.ts";
import { type Destination, destinations } from "../shared/destinations.ts";
import { gzipLevel } from "../shared/gzip-level.ts";

export interface ImportTargetOptions {
  /** Names of the image. */
  readonly tags: readonly string[];
  /** Archive to write; without it the image goes to the registries that the tags name. */
  readonly output?: string | undefined;
  /** For tags that name no registry. */
  readonly registry?: string | undefined;
  /** For those too, when `registry` is not given: `IMGPACK_REGISTRY`. Not of names in an archive. */
  readonly defaultRegistry?: string | undefined;
  /** "auto" and "gzip", "gzip:1" to "gzip:12", "keep" for an uncompressed layer. Layers of gzip or zstd stay as they are. */
  readonly compression?: string | undefined;
  /** Media types of the manifest; OCI's without it. */
  readonly format?: string | undefined;
}

export interface ImportTarget {
  /** Full names in the archive. */
  readonly names: readonly string[];
  readonly places: readonly Destination[];
  /** Undefined leaves layers uncompressed. */
  readonly profile: GzipProfile | undefined;
  readonly isDocker: boolean;
  /** Neither compression nor format asked for: an image that a registry has already may have others. */
  readonly isPlain: boolean;
}

/** Decided before anything is read. @throws UsageError for what cannot be followed. */
export function importTarget(what: string, options: ImportTargetOptions): ImportTarget {
  const { tags, output, registry, format = "oci" } = options;
  if (tags.length === 0) {
    throw new UsageError(`Cannot import ${what}: no name given, expected one`, {
      hint: "Name the image with --tag, such as --tag registry.lan:5000/base:1.0.",
    });
  }
  if (format !== "oci" && format !== "docker") {
    throw new UsageError(`Cannot use --format ${quote(format)}: unknown, expected oci or docker`);
  }
  if (output === "-") throw new UsageError('Cannot write the archive to "-": found stdout, expected a file');
  const isArchive = output !== undefined;
  const level = gzipLevel(options.compression);
  return {
    names: isArchive ? [...new Set(tags.map(tag => archiveName(tag, registry)))] : [],
    places: isArchive ? [] : destinations([NAMELESS], options, what),
    profile: level === "keep" ? undefined : gzipProfile(level),
    isDocker: format === "docker",
    isPlain: options.format === undefined && options.compression === undefined,
  };
}

/** Stands for the image until it is made: where it goes depends on the tags alone. */
const NAMELESS: Root = {
  kind: "settled",
  names: [],
  descriptor: { mediaType: "", digest: `sha256:${"0".repeat(64)}`, size: 0 },
};

/** Short names are those of Docker Hub, as in every other archive: loaders shorten them again. */
function archiveName(tag: string, registry: string | undefined): string {
  const reference = parseReference(tag);
  if (reference.digest !== undefined) {
    throw new UsageError(`Cannot import as ${quote(tag)}: it names a digest, expected a tag`, {
      hint: "Leave out the digest: it follows from the image, and import prints it.",
    });
  }
  const isPlaced = reference.registry !== undefined || registry === undefined;
  return formatReference(resolveDockerHub(isPlaced ? reference : { ...reference, registry }));
}
