/** A text with its variables replaced, or what is wrong with it: "found …, expected …". */
export type Interpolated = { readonly text: string; readonly unset: readonly string[] } | { readonly why: string };

const NAME = /^[A-Za-z_][A-Za-z0-9_]*/;
const MAX_DEPTH = 20;
/** Of a text with its variables: more than any reference has. */
const MAX_LENGTH = 4096;

/** Variables by their names. */
export type Variables = Pick<ReadonlyMap<string, string>, "get">;

/**
 * Replaces variables as compose does (compose-spec, 12-interpolation.md): `$X`, `${X}`, `${X:-default}`, `${X-default}`,
 * `${X:?error}`, `${X?error}`, `${X:+other}`, `${X+other}`, `$$` for a dollar; without a colon, an empty value counts as set.
 */
export function interpolate(text: string, variables: Variables, depth: number = MAX_DEPTH): Interpolated {
  const unset: string[] = [];
  let done = "";
  let at = 0;
  for (;;) {
    const dollar = text.indexOf("$", at);
    if (dollar === -1) return { text: done + text.slice(at), unset };
    done += text.slice(at, dollar);
    const rest = text.slice(dollar + 1);
    if (rest.startsWith("$")) {
      done += "$";
      at = dollar + 2;
      continue;
    }
    const isBraced = rest.startsWith("{");
    const end = isBraced ? closingBrace(text, dollar + 1) : dollar + 1 + (NAME.exec(rest)?.[0].length ?? 0);
    const inner = isBraced ? text.slice(dollar + 2, end) : text.slice(dollar + 1, end);
    if (end === -1 || inner === "") return { why: 'found "$" without the name of a variable, expected one, or "$$"' };
    if (depth === 0) return { why: `found variables nested deeper than ${MAX_DEPTH}, expected fewer levels` };
    const value = expand(inner, variables, depth, unset);
    if (typeof value !== "string") return value;
    done += value;
    if (done.length > MAX_LENGTH)
      return { why: `found variables that make more than ${MAX_LENGTH} characters, expected fewer` };
    at = isBraced ? end + 1 : end;
  }
}

function expand(
  inner: string,
  variables: Variables,
  depth: number,
  unset: string[],
): string | { readonly why: string } {
  const name = NAME.exec(inner)?.[0] ?? "";
  const [, operator = "", word = ""] = /^(:?[-?+]|)([\s\S]*)$/.exec(inner.slice(name.length)) ?? [];
  if (name === "" || (operator === "" && word !== "")) {
    return { why: `found "\${${inner}}", expected a variable such as \${TAG:-1.0}` };
  }
  const value = variables.get(name);
  const isSet = value !== undefined && (value !== "" || !operator.startsWith(":"));
  if (operator.endsWith("+")) return isSet ? replaced(word) : "";
  if (isSet) return value;
  if (operator.endsWith("?")) {
    const reason = word === "" ? "" : ` (${word})`;
    return { why: `found the variable ${name} without a value${reason}, expected one in the environment or in .env` };
  }
  if (operator.endsWith("-")) return replaced(word);
  unset.push(name);
  return value ?? "";

  function replaced(other: string): string | { readonly why: string } {
    const inside = interpolate(other, variables, depth - 1);
    if ("why" in inside) return inside;
    for (const missing of inside.unset) unset.push(missing);
    return inside.text;
  }
}

/** @param open offset of a brace. */
function closingBrace(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    if (text[at] === "{") depth += 1;
    else if (text[at] === "}") depth -= 1;
    if (depth === 0) return at;
  }
  return -1;
}

/** Variables of a `.env` file: `NAME=VALUE`, with comments, quotes and `export`; later lines win. */
export function parseEnvFile(text: string, outer: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const variables: Variables = { get: name => outer.get(name) ?? found.get(name) };
  for (const line of text.replace(/^\uFEFF/, "").split(/\r?\n/)) {
    const match = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*=\s*(.*?)\s*$/.exec(line);
    if (match === null) continue;
    const [, name = "", raw = ""] = match;
    const quoted = /^'([^']*)'|^"((?:[^"\\]|\\.)*)"/.exec(raw);
    if (quoted?.[1] !== undefined) {
      found.set(name, quoted[1]);
      continue;
    }
    const value = quoted?.[2] === undefined ? raw.replace(/(?:^|\s)#.*$/, "") : unescaped(quoted[2]);
    const expanded = interpolate(value, variables);
    found.set(name, "why" in expanded ? value : expanded.text);
  }
  return new Map([...found, ...outer]);
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, character: string) => (character === "n" ? "\n" : character));
}
