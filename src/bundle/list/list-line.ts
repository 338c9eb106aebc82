import { ImgpackError } from "../../errors.ts";
import { isV1Reference } from "../../oci/legacy/has-v1.ts";
import { parseV1Reference } from "../../oci/legacy/v1-reference.ts";
import { parsePlatform } from "../../oci/platform.ts";
import { isTag, parseReference } from "../../oci/reference.ts";
import { quote } from "../../util/format.ts";
import { hasGlob, parseGlob } from "./reference-glob.ts";

/** What a line of a list says. */
export interface ListLine {
  readonly reference: string;
  readonly platforms?: readonly string[];
  readonly name?: string;
}

/** Why a line cannot be taken: "found …, expected …". */
export interface LineFault {
  readonly why: string;
}

const FORM = "REFERENCE [OS/ARCH[,…]] [-> NAME]";
const SCHEME = /^(?:docker|oci):\/\//i;
const SYSTEMS = /^(?:linux|windows|darwin|macos|freebsd|netbsd|openbsd|solaris|illumos|android|wasip1)[(/]/i;

/**
 * Reads `REFERENCE [PLATFORM[,…]] [-> NAME]`; also hangar's `SOURCE DESTINATION TAG`, and oc-mirror's `SOURCE=DESTINATION`.
 *
 * @param text without comments.
 */
export function readListLine(text: string): ListLine | LineFault {
  if (text.includes("{{")) return { why: 'found "{{" where a reference belongs, expected one' };
  const words = text.split(/\s+/);
  const arrow = words.indexOf("->");
  const [head = "", ...more] = arrow === -1 ? words : words.slice(0, arrow);
  const name = arrow === -1 ? undefined : words.slice(arrow + 1);
  if (name !== undefined && name.length !== 1) {
    return { why: `found ${name.length === 0 ? "no name" : `${name.length} words`} after "->", expected one name` };
  }
  if (head === "") return { why: `found no reference, expected ${FORM}` };
  if (isV1Reference(head)) return readV1Line(head, more, name?.[0]);
  if (name === undefined && head.includes("=")) return more.length === 0 ? renamedPair(head) : noForm(more);
  if (more.length === 0) return renamed(head, name?.[0]);
  if (name === undefined && isInColumns(more)) return inColumns(head, more[0] ?? "", more[1] ?? "");
  if (more.length > 1) return noForm(more);
  const platforms = readPlatforms(more[0] ?? "");
  if ("why" in platforms) return platforms;
  const line = renamed(head, name?.[0]);
  return "why" in line ? line : { ...line, platforms: platforms.platforms };
}

/** `v1://HOST/[NAMESPACE/]REPOSITORY[:TAG] [-> NAME]`: an image of that time has one platform. */
function readV1Line(reference: string, more: readonly string[], name: string | undefined): ListLine | LineFault {
  if (more.length > 0)
    return { why: `found ${quote(more.join(" "))} after the v1 reference, expected nothing or "-> NAME"` };
  try {
    const { name: repository, glob, tag } = parseV1Reference(reference);
    const isWide = glob !== undefined || repository === undefined;
    return named(reference, name, { isWide, hasTagGlob: tag !== undefined && hasGlob(tag) });
  } catch (error) {
    return { why: reasonOf(error) };
  }
}

function noForm(words: readonly string[]): LineFault {
  return { why: `found ${quote(words.join(" "))} after the reference, expected ${FORM}` };
}

/** hangar: https://hangar.cnrancher.com, "Mirror images": three columns, the last one a tag. */
function isInColumns([destination = "", tag = "", ...others]: readonly string[]): boolean {
  return others.length === 0 && isTag(tag) && !SYSTEMS.test(destination) && !destination.endsWith(",");
}

function inColumns(source: string, destination: string, tag: string): ListLine | LineFault {
  const fault = [source, destination].map(text => tagFault(withoutScheme(text))).find(found => found !== undefined);
  return fault ?? renamed(`${source}:${tag}`, `${destination}:${tag}`);
}

function tagFault(text: string): LineFault | undefined {
  const read = readName(text);
  if ("why" in read) return read;
  if (!read.hasTag && !read.hasDigest) return undefined;
  return { why: `found a ${read.hasTag ? "tag" : "digest"} in ${quote(text)}, expected it in the third column alone` };
}

/** oc-mirror's mapping.txt. */
function renamedPair(text: string): ListLine | LineFault {
  const at = text.indexOf("=");
  return renamed(text.slice(0, at), text.slice(at + 1));
}

function renamed(source: string, destination?: string): ListLine | LineFault {
  const reference = withoutScheme(source);
  const from = readName(reference);
  if ("why" in from) return from;
  const isGlob = hasGlob(reference);
  const isWide = isGlob && hasGlob(parseGlob(reference).repository);
  const line = named(reference, destination, { isWide, hasTagGlob: isGlob });
  if ("why" in line || line.name === undefined) return line;
  const digest = digestOf(line.name);
  if (digest !== undefined && digest !== digestOf(reference)) {
    return { why: `found the name ${quote(line.name)} with another digest than its image, expected the same or none` };
  }
  return line;
}

/** @param wildcards whether the reference has them in its repository, and in its tag alone. */
function named(
  reference: string,
  destination: string | undefined,
  { isWide, hasTagGlob }: { readonly isWide: boolean; readonly hasTagGlob: boolean },
): ListLine | LineFault {
  if (destination === undefined) return { reference };
  const name = withoutScheme(destination);
  if (hasGlob(name)) return { why: `found a wildcard in the name ${quote(name)}, expected none` };
  const to = readName(name);
  if ("why" in to) return { why: `the name after it has a fault: ${to.why}` };
  if (isWide) return { why: `found one name for all repositories that match ${quote(reference)}, expected none` };
  if (hasTagGlob && to.hasTag) {
    return { why: `found one name with a tag for all that match ${quote(reference)}, expected a name without a tag` };
  }
  return { reference, name };
}

function digestOf(text: string): string | undefined {
  return text.includes("@") ? text.slice(text.indexOf("@") + 1) : undefined;
}

/** A reference without the `docker://` or `oci://` that other tools write. */
export function withoutScheme(text: string): string {
  return text.replace(SCHEME, "");
}

function readName(text: string): { readonly hasTag: boolean; readonly hasDigest: boolean } | LineFault {
  try {
    const { tag, digest } = hasGlob(text) ? { ...parseGlob(text), digest: undefined } : parseReference(text);
    return { hasTag: tag !== undefined, hasDigest: digest !== undefined };
  } catch (error) {
    return { why: reasonOf(error) };
  }
}

function readPlatforms(text: string): { readonly platforms: readonly string[] } | LineFault {
  const platforms = text.split(",");
  if (platforms.length > 1 && platforms.includes("all"))
    return { why: `found "all" next to other platforms, expected it alone` };
  for (const platform of platforms) {
    if (platform === "all") continue;
    try {
      parsePlatform(platform);
    } catch {
      const expected = `a platform such as linux/amd64, or "-> NAME"`;
      return { why: `found ${quote(platform)} after the reference, expected ${expected}` };
    }
  }
  return { platforms };
}

/** What a message says was found and expected. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof ImgpackError)) throw error;
  const at = error.message.lastIndexOf(": found ");
  return at === -1 ? error.message : error.message.slice(at + 2);
}
