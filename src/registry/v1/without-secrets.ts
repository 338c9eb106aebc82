const SHORT_ESCAPES: Readonly<Record<string, string>> = { "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t" };
const ESCAPE = /\\+u([0-9a-f]{4})(?:\\+u(d[c-f][0-9a-f]{2}))?/iy;
const OCTET = /%([0-9a-f]{2})/iy;

/**
 * A text without secrets. Servers send back what they got as JSON, JSON in JSON, with or without escapes for what is not
 * ASCII (Python's do), or as part of an address: all these spellings are the same here. Takes linear time.
 */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce((left, secret) => withoutSecret(left, secret), text);
}

function withoutSecret(text: string, secret: string): string {
  const wanted = plainOctets(secret).octets;
  if (wanted === "") return secret === "" ? text : text.replaceAll(secret, "[redacted]");
  const { octets, starts } = plainOctets(text);
  let left = "";
  let end = 0;
  for (let at = octets.indexOf(wanted); at !== -1; at = octets.indexOf(wanted, at + wanted.length)) {
    left += `${text.slice(end, starts[at])}[redacted]`;
    end = starts[at + wanted.length] ?? text.length;
  }
  return left + text.slice(end);
}

/** The octets that a text spells, without backslashes, and where each begins in the text. */
function plainOctets(text: string): { readonly octets: string; readonly starts: readonly number[] } {
  let octets = "";
  const starts: number[] = [];
  const add = (found: string, start: number): void => {
    octets += found;
    for (let count = 0; count < found.length; count += 1) starts.push(start);
  };
  const match = (pattern: RegExp, at: number): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  for (let at = 0; at < text.length; ) {
    const unicode = match(ESCAPE, at);
    const octet = unicode === null ? match(OCTET, at) : null;
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
    const found =
      unicode !== null
        ? octetsOf(unitsOf(unicode))
        : octet !== null
          ? String.fromCharCode(Number.parseInt(octet[1] ?? "", 16))
          : octetsOf(character);
    if (found !== "\\") add(SHORT_ESCAPES[found] ?? found, at);
    at += (unicode ?? octet)?.[0].length ?? character.length;
  }
  return { octets, starts };
}

function unitsOf([, first = "", second]: RegExpExecArray): string {
  const codes = second === undefined ? [first] : [first, second];
  return codes.map(code => String.fromCharCode(Number.parseInt(code, 16))).join("");
}

function octetsOf(text: string): string {
  return Buffer.from(text).toString("latin1");
}
