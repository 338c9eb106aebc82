import { NotFoundError, UsageError } from "../errors.ts";
import type { EngineKind } from "../oci/names/engine-name.ts";
import { nearestTags } from "../oci/nearest-tags.ts";
import { familiarName, formatReference, parseReference, resolveDockerHub } from "../oci/reference.ts";
import { quote } from "../util/format.ts";

const ID = /^(?:sha256:)?[0-9a-f]{12,64}$/;
const MAX_NEAR = 3;

/** What the user asks an engine for. */
export interface ImageRequest {
  /** As the user typed it, with the tag that it leaves out. */
  readonly text: string;
  /** The same with the registry; undefined for an id or a digest. */
  readonly full: string | undefined;
}

/**
 * Reads the name of an image in an engine: `repository[:tag]` with or without a registry, `repository@digest`, or an id.
 *
 * @throws UsageError for none; BadReferenceError.
 */
export function readImageRequest(engine: EngineKind, image: string): ImageRequest {
  if (image === "") {
    throw new UsageError(`Cannot read ${engine}://: no image named, expected one after it`, {
      hint: `For example: ${engine}://app:1.4.`,
    });
  }
  if (ID.test(image)) return { text: image, full: undefined };
  const reference = parseReference(image);
  if (reference.digest !== undefined) return { text: image, full: undefined };
  const tagged = { ...reference, tag: reference.tag ?? "latest" };
  return { text: formatReference(tagged), full: formatReference(resolveDockerHub(tagged)) };
}

/** The name among those of an engine that a request means. Foreign names that are none are skipped. */
export function nameAmong(request: ImageRequest, names: readonly string[]): string | undefined {
  const { full, text } = request;
  if (full === undefined) return undefined;
  const known = new Map(names.flatMap(name => fullOf(name).map(own => [own, name] as const)));
  // podman finds a name without a registry among those that it has built.
  return known.get(full) ?? known.get(`localhost/${text}`);
}

export function fullOf(name: string): readonly string[] {
  try {
    return [formatReference(resolveDockerHub(parseReference(name)))];
  } catch {
    return [];
  }
}

/** @param names that the engine has; foreign text. Undefined if they are not known. */
export function noSuchImage(
  what: string,
  engine: EngineKind,
  image: string,
  names: readonly string[] | undefined,
): NotFoundError {
  const named = (names ?? []).filter(name => !name.includes("<none>"));
  const near = nearestTags(image, [...new Set(named.map(shortName))], MAX_NEAR);
  const there =
    names === undefined
      ? `Look at its list: ${engine === "containerd" ? "ctr images ls" : `${engine} images`}.`
      : near.length === 0
        ? "None of its images has a name."
        : `Names that it has: ${near.map(quote).join(", ")}${more(named)}.`;
  const remote = parsedRegistry(image) === undefined ? "" : ` For the image in the registry, leave out ${engine}://.`;
  return new NotFoundError(`Cannot read ${quote(image)} from ${what}: no such image, expected one that it has`, {
    hint: `${there}${remote}`,
  });
}

function more(names: readonly string[]): string {
  return names.length > MAX_NEAR ? " and others" : "";
}

function shortName(name: string): string {
  try {
    return familiarName(parseReference(name));
  } catch {
    return name;
  }
}

function parsedRegistry(image: string): string | undefined {
  return ID.test(image) ? undefined : parseReference(image).registry;
}
