interface BasicChallenge {
  readonly scheme: "basic";
  /** Empty when the registry sent none. */
  readonly realm: string;
}

export interface BearerChallenge {
  readonly scheme: "bearer";
  /** URL of the token server, unchecked: `checkRealm` decides whether a secret may go there. */
  readonly realm: string;
  readonly service?: string;
  /** One entry per resource; the header separates them by blanks. */
  readonly scope?: readonly string[];
  /** For example `insufficient_scope` (RFC 6750, section 3.1). */
  readonly error?: string;
}

export type Challenge = BasicChallenge | BearerChallenge;

/** New tokens for one request: others may use up a short life before its turn. */
const MAX_EXPIRIES = 5;

/**
 * How often one request is sent again after such challenges. With `invalid_token`, the registry says that it knows the token no
 * longer, not that it refuses what was asked (RFC 6750, section 3.1).
 */
export function maxAnswers(challenges: readonly Challenge[]): number {
  const isExpired = challenges.some(one => one.scheme === "bearer" && one.error === "invalid_token");
  return isExpired ? MAX_EXPIRIES : 1;
}

const MAX_HEADER_LENGTH = 32 * 1024;
const MAX_CHALLENGES = 16;
const MAX_PARAMETERS = 32;
const MAX_SCOPES = 64;

interface RawChallenge {
  readonly scheme: string;
  readonly parameters: Map<string, string>;
  /** A repeated parameter, a control character or an open quote: the meaning is unclear. */
  broken: boolean;
}

/**
 * Challenges of all `WWW-Authenticate` headers of an answer (RFC 9110, section 11.6.1), in order. Only Basic and Bearer
 * are returned; anything malformed is dropped, never thrown: a 401 stays a 401. Linear in the length of the headers.
 */
export function parseChallenges(values: readonly string[]): readonly Challenge[] {
  const challenges: Challenge[] = [];
  for (const value of values.slice(0, MAX_CHALLENGES)) {
    if (value.length > MAX_HEADER_LENGTH) continue;
    for (const raw of scan(value)) {
      const challenge = raw.broken ? undefined : toChallenge(raw);
      if (challenge !== undefined) challenges.push(challenge);
    }
  }
  return challenges.slice(0, MAX_CHALLENGES);
}

function toChallenge({ scheme, parameters }: RawChallenge): Challenge | undefined {
  const realm = parameters.get("realm");
  if (scheme === "basic") return { scheme, realm: realm ?? "" };
  if (scheme !== "bearer" || realm === undefined || realm === "") return undefined;
  const service = parameters.get("service");
  const error = parameters.get("error");
  const scope = parameters.get("scope")?.split(" ").filter(Boolean);
  if (scope !== undefined && scope.length > MAX_SCOPES) return undefined;
  return {
    scheme,
    realm,
    ...(service === undefined ? {} : { service }),
    ...(scope === undefined ? {} : { scope }),
    ...(error === undefined ? {} : { error }),
  };
}

/** A name followed by `=` is a parameter of the challenge before it; any other name starts a new challenge. */
function scan(text: string): RawChallenge[] {
  const challenges: RawChallenge[] = [];
  let current: RawChallenge | undefined;
  let position = 0;
  while (position < text.length && challenges.length <= MAX_CHALLENGES) {
    position = skip(text, position, isSeparator);
    const nameEnd = skip(text, position, isNameCharacter);
    if (nameEnd === position) {
      position = skip(text, position, character => character !== ",");
      continue;
    }
    const name = text.slice(position, nameEnd).toLowerCase();
    const next = skip(text, nameEnd, isBlank);
    if (text[next] !== "=") {
      current = { scheme: name, parameters: new Map(), broken: false };
      challenges.push(current);
      position = nameEnd;
      continue;
    }
    const value = scanValue(text, skip(text, next + 1, isBlank));
    position = value.end;
    if (current === undefined) continue;
    if (value.text === undefined || current.parameters.has(name) || current.parameters.size >= MAX_PARAMETERS) {
      current.broken = true;
    } else {
      current.parameters.set(name, value.text);
    }
  }
  return challenges;
}

/** `text` is undefined when the value cannot be trusted. */
function scanValue(text: string, start: number): { readonly text: string | undefined; readonly end: number } {
  if (text[start] !== '"') {
    // Wider than RFC 9110: some token servers send their realm URL without quotes.
    const end = skip(text, start, character => !isSeparator(character) && character !== '"');
    return { text: checkedText(text.slice(start, end)), end };
  }
  const parts: string[] = [];
  let position = start + 1;
  for (;;) {
    const partEnd = skip(text, position, character => character !== '"' && character !== "\\");
    parts.push(text.slice(position, partEnd));
    if (partEnd >= text.length) return { text: undefined, end: partEnd };
    if (text[partEnd] === '"') return { text: checkedText(parts.join("")), end: partEnd + 1 };
    parts.push(text.slice(partEnd + 1, partEnd + 2));
    position = partEnd + 2;
  }
}

/** Text of a server may be copied into a request: printable ASCII only (security case A-14). */
function checkedText(text: string): string | undefined {
  return /^[\x20-\x7e]*$/.test(text) ? text : undefined;
}

function skip(text: string, start: number, accepts: (character: string) => boolean): number {
  let position = start;
  while (position < text.length && accepts(text.charAt(position))) position += 1;
  return position;
}

function isBlank(character: string): boolean {
  return character === " " || character === "\t";
}

function isSeparator(character: string): boolean {
  return character === "," || isBlank(character);
}

/** Characters of an RFC 9110 token. */
function isNameCharacter(character: string): boolean {
  return /^[A-Za-z0-9!#$%&'*+.^_`|~-]$/.test(character);
}
