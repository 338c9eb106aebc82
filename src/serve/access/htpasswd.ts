import { UsageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";

/** Bcrypt hashes by user name. */
export type Accounts = ReadonlyMap<string, string>;

/** As `htpasswd -B` writes it; the two digits are the cost. */
const BCRYPT = /^\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}$/;
const MIN_COST = 4;
/** About two seconds for each password; each step doubles it. */
const MAX_COST = 14;
const MAX_NAME = 255;
const HINT = "Write the line with: htpasswd -B FILE USER";

/** What the start of other hashes says (`htpasswd` of Apache; crypt(5)). */
const OTHER_HASHES: readonly (readonly [start: RegExp, name: string])[] = [
  [/^\$apr1\$/, "an MD5 hash"],
  [/^\$1\$/, "an MD5 hash"],
  [/^\$5\$/, "a SHA-256 hash"],
  [/^\$6\$/, "a SHA-512 hash"],
  [/^\$y\$/, "a yescrypt hash"],
  [/^\{SHA\}/, "a SHA-1 hash"],
  [/^\$2/, "a malformed bcrypt hash"],
];

/**
 * Reads the text of an htpasswd file: one `user:hash` in each line; empty lines and lines that begin with `#` are ignored. Only
 * bcrypt is taken, because the other kinds are guessed too fast.
 *
 * @throws UsageError for a line that it does not take, which the message names by its number, and for a text without a user.
 */
export function parseHtpasswd(text: string): Accounts {
  const accounts = new Map<string, string>();
  for (const [index, line] of text
    .replace(/^\u{feff}/u, "")
    .split(/\r?\n/)
    .entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const where = `line ${index + 1} of the htpasswd file`;
    const mark = line.indexOf(":");
    const user = line.slice(0, mark);
    if (mark < 1 || user.length > MAX_NAME || /\p{Cc}/u.test(user)) {
      throw unusable(where, "found no user name before a colon", "USER:HASH");
    }
    const hash = line.slice(mark + 1).trimEnd();
    checkHash(`${where}, user ${quote(user)}`, hash);
    if (accounts.has(user)) {
      throw unusable(
        where,
        `found user ${quote(user)} twice`,
        "one line for each user",
        "Remove one of the two lines.",
      );
    }
    accounts.set(user, hash);
  }
  if (accounts.size === 0) throw unusable("the htpasswd file", "found no user", "at least one line USER:HASH");
  return accounts;
}

/** The cost of a bcrypt hash that `parseHtpasswd` has checked. */
export function costOf(hash: string): number {
  return Number(BCRYPT.exec(hash)?.[1]);
}

function checkHash(where: string, hash: string): void {
  const cost = costOf(hash);
  if (Number.isNaN(cost)) {
    const [, found = "no hash that is known here"] = OTHER_HASHES.find(([start]) => start.test(hash)) ?? [];
    throw unusable(where, `found ${found}`, "a bcrypt hash");
  }
  if (cost < MIN_COST || cost > MAX_COST) {
    throw unusable(where, `found bcrypt of cost ${cost}`, `a cost from ${MIN_COST} to ${MAX_COST}`);
  }
}

function unusable(where: string, found: string, expected: string, hint = HINT): UsageError {
  return new UsageError(`Cannot use ${where}: ${found}, expected ${expected}`, { hint });
}
