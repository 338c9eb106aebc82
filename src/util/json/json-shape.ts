/**
 * What `scanJson` must know about a document: which objects have fixed fields (`Layers` and `layers` must not both occur
 * there), which are free maps (both are ordinary keys there), and which numbers are integers.
 */
export type JsonShape =
  | { readonly kind: "any" }
  | { readonly kind: "integer" }
  | { readonly kind: "list"; readonly items: JsonShape }
  | { readonly kind: "map"; readonly values: JsonShape }
  | {
      readonly kind: "fixed";
      readonly fields: ReadonlyMap<string, JsonShape>;
      /** Folded spelling → exact spelling. */
      readonly folded: ReadonlyMap<string, string>;
    };

export const ANY: JsonShape = { kind: "any" };
/** A number written with digits only, from 0 to 2^53-1; the schema checks values of other types. */
export const INTEGER: JsonShape = { kind: "integer" };

export function listOf(items: JsonShape): JsonShape {
  return { kind: "list", items };
}

export function mapOf(values: JsonShape): JsonShape {
  return { kind: "map", values };
}

/** An object whose known fields have ASCII names; unknown fields pass unless they fold onto a known one. */
export function fixedFields(fields: Readonly<Record<string, JsonShape>>): JsonShape {
  const names = Object.keys(fields);
  return {
    kind: "fixed",
    fields: new Map(Object.entries(fields)),
    folded: new Map(names.map(name => [foldKey(name), name])),
  };
}

/**
 * Unicode simple case folding for results in ASCII. In addition to A–Z, these are U+212A (Kelvin sign), which lower-cases
 * to `k`, and U+017F (long s), which does not lower-case to `s`.
 */
export function foldKey(key: string): string {
  return key.toLowerCase().replaceAll("\u017f", "s");
}
