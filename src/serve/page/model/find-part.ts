import { digestHex } from "../../../oci/digest.ts";
import type { ServedPart } from "../../content/served-registry.ts";

/** Digits of an id that are enough to find it: what people read out. */
const MIN_DIGITS = 12;

/**
 * Finds a bundle by its id, by the first digits of that, or by the name of one of its files.
 *
 * @returns undefined if none is meant, or more than one.
 */
export function findPart(parts: readonly ServedPart[], text: string): ServedPart | undefined {
  const digits = idDigits(text);
  const found = parts.filter(
    ({ id, files }) =>
      files.includes(text) || (digits !== undefined && id !== undefined && digestHex(id).startsWith(digits)),
  );
  return found.length === 1 ? found[0] : undefined;
}

/** The digits of what can only be the id of a bundle; undefined for anything else. */
export function idDigits(text: string): string | undefined {
  const [, digits = ""] = /^(?:sha256:)?([0-9a-f]{1,64})$/.exec(text) ?? [];
  return digits.length >= MIN_DIGITS ? digits : undefined;
}
