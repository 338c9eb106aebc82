import { parseReference } from "../../../oci/reference.ts";
import { withoutScheme } from "../list-line.ts";

/** Ends of volume options and ports, in places where a tag would be. */
const NO_TAG = /^(?:\d{2,5}|ro|rw|z|Z)$/;
const WORD = /[^\s"'`=,;()<>[\]{}|\\]+/g;
const NAMED_IMAGE = /image["']?\s*[:=]\s*["']?$/i;

/** A text inside of another one that may well be a reference. */
export interface FoundText {
  readonly reference: string;
  readonly index: number;
}

/**
 * Whether a word may be a reference: it has a digest, or a tag and more than one part.
 *
 * @param isNamed whether what names it says that it is an image; then a repository or a tag is enough.
 */
export function likelyReference(word: string, isNamed: boolean): string | undefined {
  const text = withoutScheme(word);
  if (text.length > 512 || !/[/:@]/.test(text)) return undefined;
  try {
    const { registry, repository, tag, digest } = parseReference(text);
    if (digest !== undefined) return text;
    const hasPath = registry !== undefined || repository.includes("/");
    if (tag === undefined) return isNamed && hasPath ? text : undefined;
    if (isNamed) return text;
    return hasPath && (registry !== undefined || !NO_TAG.test(tag)) ? text : undefined;
  } catch {
    return undefined;
  }
}

/** Words of a text that may be references. */
export function* likelyWords(text: string, isNamed: boolean): Generator<FoundText> {
  // Most texts have none.
  if (!/[/:@]/.test(text)) return;
  for (const { index, 0: word } of text.matchAll(WORD)) {
    const before = text.slice(Math.max(0, index - 40), index);
    const reference = likelyReference(word.replace(/[.:]+$/, ""), isNamed || NAMED_IMAGE.test(before));
    if (reference !== undefined) yield { reference, index };
  }
}
