/** A string, or white space between tokens. */
const STRING_OR_SPACE = /("[^"\\]*(?:\\.[^"\\]*)*")|[\t\n\r ]+/g;
const STRING_OR_MARK = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],]/g;

/**
 * The members of an object, each value in the form in which it is written, without the space between its tokens: numbers
 * keep their digits, strings their escapes, and inner keys their order, which JSON.parse loses.
 *
 * @param json an object that `parseJson` accepts.
 */
export function rawMembers(json: string): ReadonlyMap<string, string> {
  const text = json.replace(STRING_OR_SPACE, (_match, string: string | undefined) => string ?? "");
  const members = new Map<string, string>();
  let depth = 0;
  let start = 1;
  let key: string | undefined;
  for (const { 0: token, index } of text.matchAll(STRING_OR_MARK)) {
    if (token.startsWith('"')) {
      if (depth !== 1 || key !== undefined) continue;
      key = JSON.parse(token) as string;
      start = index + token.length + 1;
    } else if (token === "{" || token === "[") depth += 1;
    else if (depth === 1) {
      if (key !== undefined) members.set(key, text.slice(start, index));
      key = undefined;
      if (token !== ",") depth -= 1;
    } else if (token !== ",") depth -= 1;
  }
  return members;
}
