import { UsageError } from "../../errors.ts";
import { parseReference } from "../../oci/reference.ts";
import { quote } from "../../util/format.ts";

/** A reference with wildcards: `*` for any characters of one part of a name, `**` for any parts, `?` for one character. */
export interface ReferenceGlob {
  /** `host[:port]`, without wildcards; absent if the text has none. */
  readonly registry?: string;
  readonly repository: string;
  /** Absent if the text has none. */
  readonly tag?: string;
}

/** Tags that cosign and registries without the referrers API make; they name no images. */
const REFERRER_TAG = /^sha(?:256|512)-/;

export function hasGlob(text: string): boolean {
  return text.includes("*") || text.includes("?");
}

/**
 * Reads a reference with wildcards in its repository or tag.
 *
 * @throws BadReferenceError for a text that no reference could match; UsageError for wildcards where none can be.
 */
export function parseGlob(text: string): ReferenceGlob {
  // With a letter in place of each wildcard, it has the form of a reference.
  const { registry, digest } = parseReference(text.replaceAll("**", "a").replaceAll(/[*?]/g, "a"));
  const slash = text.indexOf("/");
  const name = registry === undefined ? text : text.slice(slash + 1);
  if (digest !== undefined || (registry !== undefined && hasGlob(text.slice(0, slash)))) {
    const where = digest === undefined ? "the registry" : "a reference with a digest";
    throw new UsageError(`Cannot read reference ${quote(text)}: found a wildcard in ${where}, expected none`, {
      hint: "Wildcards can be in the repository and in the tag.",
    });
  }
  const colon = name.indexOf(":");
  const repository = colon === -1 ? name : name.slice(0, colon);
  if (registry === undefined && hasGlob(repository)) {
    throw new UsageError(`Cannot read reference ${quote(text)}: found a wildcard without a registry, expected one`, {
      hint: "Write it as HOST/team/*; only a registry can say which repositories there are.",
    });
  }
  return {
    ...(registry === undefined ? {} : { registry }),
    repository,
    ...(colon === -1 ? {} : { tag: name.slice(colon + 1) }),
  };
}

/** Whether a tag matches; tags of signatures (`sha256-…`) never do. */
export function matchesTag(glob: string, tag: string): boolean {
  return !REFERRER_TAG.test(tag) && matches(tokensOf(glob), tag);
}

export function matchesRepository(glob: string, repository: string): boolean {
  return matches(tokensOf(glob), repository);
}

function tokensOf(glob: string): readonly string[] {
  return glob.match(/\*{2,}|[\s\S]/g) ?? [];
}

/** In time that grows with the product of both lengths, whatever the wildcards. */
function matches(tokens: readonly string[], text: string): boolean {
  // Positions in the text up to which the tokens so far match.
  let ends: ReadonlySet<number> = new Set([0]);
  for (const token of tokens) {
    const next = new Set<number>();
    if (token[0] === "*") {
      for (let at = 0, isOpen = false; at <= text.length; at += 1) {
        isOpen = ends.has(at) || (isOpen && (token.length > 1 || text[at - 1] !== "/"));
        if (isOpen) next.add(at);
      }
    } else {
      for (const at of ends) {
        const found = text[at];
        if (found !== undefined && (token === "?" ? found !== "/" : found === token)) next.add(at + 1);
      }
    }
    if (next.size === 0) return false;
    ends = next;
  }
  return ends.has(text.length);
}
