import { formatListed } from "../../bundle/list/format-listed.ts";
import { UsageError } from "../../errors.ts";
import { isDigest } from "../../oci/digest.ts";
import { formatReference, parseReference } from "../../oci/reference.ts";
import type { FullReference, SourceReference } from "../../registry/registry-source.ts";
import { quote } from "../../util/format.ts";
import { checkedOptions, described, type OptionsShape } from "../../util/options/checked-options.ts";
import { required, TEXT } from "../../util/options/option-kinds.ts";
import { PLATFORMS } from "../options/common-options.ts";
import { listOf } from "../options/option-values.ts";
import { readPlatforms } from "../options/read-platforms.ts";
import { type RemoteOptions, readableReference } from "../shared/remote-image.ts";

/** An image to pull or copy, with what is different for it alone. */
export interface RequestedImage {
  /** `[registry/]repository[:tag]` or `[registry/]repository@digest` */
  readonly reference: string;
  /** `os/architecture[/variant]`, or "all" alone. Default: those of the call. */
  readonly platform?: string | readonly string[] | undefined;
  /**
   * Name that it gets in place of its own: in the archive, or below the prefix. Without a tag it has the tag of the
   * reference. Default: the reference.
   */
  readonly name?: string | undefined;
  /** Digest of a manifest or index that is taken whatever the tag means now. The name does not change. */
  readonly digest?: string | undefined;
  /** Digest that `missingImages` accepts, too: a lock has it where its archive does not have `digest`. */
  readonly written?: string | undefined;
}

/** A reference that was read, with what is different for this image alone. */
export interface ResolvedImage {
  readonly reference: FullReference;
  /** Full name that it gets in place of its own. */
  readonly name?: FullReference;
  /** As they were written. Empty: those of the call. */
  readonly platforms: readonly string[];
  /** As a line of a list. */
  readonly line: string;
}

const REQUESTED: OptionsShape<RequestedImage> = {
  reference: required(TEXT),
  platform: PLATFORMS,
  name: TEXT,
  digest: TEXT,
  written: TEXT,
};

/**
 * What a call is to work on, in the long form. A string is a list of characters to JavaScript, so it is refused.
 *
 * @returns a copy.
 * @throws UsageError
 */
export function checkedImages(verb: string, list: readonly (string | RequestedImage)[]): readonly RequestedImage[] {
  if (!Array.isArray(list)) throw notImages(verb, list);
  const images: RequestedImage[] = [];
  for (let index = 0; index < list.length; index += 1) {
    const image: unknown = list[index];
    if (typeof image === "string") images.push({ reference: image });
    else if (typeof image === "object" && image !== null && !Array.isArray(image))
      images.push(checkedOptions(image as RequestedImage, REQUESTED));
    else throw notImages(verb, list);
  }
  return images;
}

function notImages(verb: string, found: unknown): UsageError {
  const what = Array.isArray(found) ? "an array with other things than references" : described(found);
  return new UsageError(`Cannot ${verb}: found ${what}, expected an array of references`, {
    hint: "Put a single one in brackets.",
  });
}

/** @throws BadReferenceError; UsageError for a digest that contradicts the reference. */
export function resolveImage(image: RequestedImage, registry: RemoteOptions["registry"]): ResolvedImage {
  const { digest, name } = image;
  const named = readableReference(image.reference, registry);
  if (digest !== undefined && !isDigest(digest)) {
    throw new UsageError(`Cannot use digest ${quote(digest)}: malformed, expected sha256: or sha512: and hex digits`);
  }
  if (digest !== undefined && named.digest !== undefined && digest !== named.digest) {
    throw new UsageError(`Cannot use ${image.reference}: found another digest in it, expected ${digest}`);
  }
  const reference = digest === undefined ? named : { ...named, digest };
  const resolved = { reference, platforms: listOf(image.platform), line: formatRequested(image) };
  if (name !== undefined) return { ...resolved, name: renamed(name, named, registry) };
  return digest === undefined || named.digest !== undefined ? resolved : { ...resolved, name: named };
}

function renamed(text: string, of: FullReference, registry: RemoteOptions["registry"]): FullReference {
  const { tag, digest, ...name } = parseReference(text);
  if (digest !== undefined && digest !== of.digest) {
    throw new UsageError(`Cannot name an image ${text}: found another digest than its own, expected the same or none`);
  }
  const isBare = tag === undefined && digest === undefined;
  return readableReference(isBare ? formatReference({ ...name, ...tagOrDigest(of) }) : text, registry);
}

/** What a new name without both gets of the old one: the tag, or else the digest. */
function tagOrDigest({ tag, digest }: FullReference): Pick<FullReference, "tag" | "digest"> {
  return tag === undefined ? (digest === undefined ? {} : { digest }) : { tag };
}

/** For a source, with the platforms read. */
export function sourceReference(verb: "pull" | "lock" | "copy", image: ResolvedImage): SourceReference {
  const { reference, name, platforms } = image;
  return {
    ...reference,
    ...(name === undefined ? {} : { name: formatReference(name) }),
    ...(platforms.length === 0 ? {} : { platforms: readPlatforms(verb, platforms, "all") }),
  };
}

/** `REFERENCE [PLATFORM[,…]] [-> NAME]`, as a list has it. */
export function formatRequested({ reference, platform, name, digest }: RequestedImage): string {
  return formatListed({
    reference,
    platforms: listOf(platform),
    ...(name === undefined ? {} : { name }),
    ...(digest === undefined ? {} : { digest }),
  });
}
