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

/**
 * The members of an object with their values as they are written, except for white space: numbers keep their digits,
 * strings their escapes, nested members their order.
 *
 * @param text a valid JSON object without repeated keys.
 */
export function rawMembers(text: string): readonly (readonly [key: string, value: string])[] {
  const compact = escapeHtml(text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|[\t\n\r ]+/g, token => token.trim()));
  const members: (readonly [string, string])[] = [];
  let start = 1;
  let colon = 0;
  let depth = 0;
  for (let at = 0; at < compact.length; at += 1) {
    const character = compact[at];
    if (character === '"') at = endOfString(compact, at);
    else if (character === "{" || character === "[") depth += 1;
    else if (character === ":" && depth === 1 && colon === 0) colon = at;
    if (character === "}" || character === "]") depth -= 1;
    const isEnd = depth === 0 || (depth === 1 && character === ",");
    if (!isEnd || colon === 0) continue;
    members.push([JSON.parse(compact.slice(start, colon)) as string, compact.slice(colon + 1, at)]);
    start = at + 1;
    colon = 0;
  }
  return members;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"' && at < text.length) at += text[at] === "\\" ? 2 : 1;
  return at;
}

/** Go before 1.22 has no short escapes for the backspace and the form feed. */
function goString(text: string): string {
  const json = JSON.stringify(text).replace(/\\./g, found => LONG_ESCAPES.get(found) ?? found);
  return escapeHtml(json);
}

const LONG_ESCAPES: ReadonlyMap<string, string> = new Map([
  ["\\b", "\\u0008"],
  ["\\f", "\\u000c"],
]);

/** Escapes the five characters that Go's encoder escapes. */
export function escapeHtml(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
