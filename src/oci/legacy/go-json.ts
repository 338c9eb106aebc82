// JSON exactly as Go's encoder writes it: the ID of an image is the hash of these bytes.

/** A value as it is written: numbers beyond 2^53 lose digits when they are parsed. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Compact JSON with members in the given order; a Map, because JavaScript objects reorder keys that look like numbers. */
export function goJson(value: unknown): string {
  if (value instanceof JsonText) return value.text;
  if (Array.isArray(value)) return `[${value.map(goJson).join(",")}]`;
  if (typeof value === "string") return goString(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members: Iterable<[string, unknown]> = value instanceof Map ? value : Object.entries(value);
  return `{${Array.from(members, ([key, member]) => `${goJson(key)}:${goJson(member)}`).join(",")}}`;
}

/** Sorts by the bytes in UTF-8. */
export function compareKeys(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

/** Go before 1.22 has no short escapes for the backspace and the form feed. */
function goString(text: string): string {
  const json = JSON.stringify(text).replace(/\\./g, found => LONG_ESCAPES.get(found) ?? found);
  return escapeAsGo(json);
}

const LONG_ESCAPES: ReadonlyMap<string, string> = new Map([
  ["\\b", "\\u0008"],
  ["\\f", "\\u000c"],
]);

/** Escapes the five characters that Go's encoder escapes. */
export function escapeAsGo(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
