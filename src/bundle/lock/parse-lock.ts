import { ArchiveError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import { parseJson } from "../../util/json/json.ts";
import type { JsonLimit } from "../../util/json/json-excess.ts";
import { checkSchema } from "../../util/json/schema.ts";
import { LOCK_FORMAT, LOCK_VERSION, lockOf } from "./format-lock.ts";
import type { Lock, LockContents } from "./lock.ts";
import { LOCK_SHAPE, lockSchema, versionSchema } from "./lock-schema.ts";

/** More than the lock of the 500,000 blobs that one archive may have. */
export const MAX_LOCK_BYTES: number = 128 * 1024 * 1024;
export const MAX_LOCK_TOKENS = 8_000_000;
export const LOCK_LIMIT: JsonLimit = { maxBytes: MAX_LOCK_BYTES, maxTokens: MAX_LOCK_TOKENS };
/** Bytes at the start of a file in which `startsAs` looks for the format. */
const SNIFFED_BYTES = 256;

export interface ParseLockOptions {
  /** The file in messages; quoted already. */
  readonly where: string;
  /** Makes the error; default an ArchiveError. */
  readonly fail?: ((reason: string, message: string, hint?: string) => Error) | undefined;
}

/** Whether a file is meant to be a lock, by its first bytes. */
export function isLock(bytes: Uint8Array): boolean {
  return startsAs(bytes, LOCK_FORMAT);
}

/** Whether JSON has this format as its first field, by its first bytes. */
export function startsAs(bytes: Uint8Array, format: string): boolean {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, SNIFFED_BYTES)).toString("latin1");
  const [, found] = /^(?:\xef\xbb\xbf)?\s*\{\s*"format"\s*:\s*"([a-z-]+)"/.exec(start) ?? [];
  return found === format;
}

/**
 * Reads a lock. Its values must be those that its id was made of; line ends and blanks may have changed, as version
 * control changes them.
 *
 * @throws the error of `options.fail`. Reasons: "lock-version" for a lock of a newer imgpack, "lock-edited" for one whose
 * id does not fit, "lock-repeated", and those of `parseJson` and `checkSchema`.
 */
export function parseLock(bytes: Uint8Array, options: ParseLockOptions): Lock {
  const { where } = options;
  const fail = options.fail ?? ((reason, message, hint) => new ArchiveError(reason, message, { hint }));
  const refuse = (reason: string, message: string): Error =>
    fail(reason, message, reason === "lock-version" ? NEWER_HINT : undefined);
  const isMarked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const value = parseJson(isMarked ? bytes.subarray(3) : bytes, {
    what: "lock",
    where,
    maxBytes: MAX_LOCK_BYTES,
    maxTokens: MAX_LOCK_TOKENS,
    shape: LOCK_SHAPE,
    fail: refuse,
  });
  const { version } = checkSchema(versionSchema, value, "lock", where, refuse);
  if (version !== LOCK_VERSION)
    throw refuse("lock-version", `Cannot read lock from ${where}: found version ${version}, expected ${LOCK_VERSION}`);
  const { id, contents } = checkSchema(lockSchema, value, "lock", where, refuse);
  const lock = lockOf(contents);
  if (lock.id !== id) {
    const message = `Cannot read lock from ${where}: its contents have the id ${lock.id}, expected ${id} as it says`;
    throw fail("lock-edited", message, EDITED_HINT);
  }
  const twice = repeated(contents);
  if (twice !== undefined)
    throw fail("lock-repeated", `Cannot read lock from ${where}: found ${quote(twice)} twice, expected it once`);
  const wrong = wrongSet(contents);
  if (wrong !== undefined) throw fail("lock-set", `Cannot read lock from ${where}: ${wrong}`);
  const otherNeeds = wrongNeeds(contents);
  if (otherNeeds !== undefined) throw fail("lock-needs", `Cannot read lock from ${where}: ${otherNeeds}`, EDITED_HINT);
  return lock;
}

const NEWER_HINT = "A newer imgpack wrote it: use that one.";
const EDITED_HINT = 'It was edited or damaged after it was written: write it again with "imgpack lock".';

/** The id does not cover the set: it differs from volume to volume. */
function wrongSet({ set, blobs }: LockContents): string | undefined {
  if (set === undefined) return undefined;
  const { number, of, where } = set;
  if (number > of) return `it is of volume ${number} of ${of}, expected a number up to ${of}`;
  if (where.length !== blobs.length) return `it places ${where.length} blobs, expected ${blobs.length}`;
  const beyond = where.flat().find(volume => volume > of);
  return beyond === undefined ? undefined : `it places a blob in volume ${beyond} of ${of}, expected one up to ${of}`;
}

/** The id does not cover the needs: an archive does not have them. */
function wrongNeeds({ needs, images, blobs }: LockContents): string | undefined {
  if (needs === undefined) return undefined;
  if (needs.length !== images.length) return `it has the needs of ${needs.length} images, expected ${images.length}`;
  const beyond = needs.flat().find(index => index >= blobs.length);
  return beyond === undefined ? undefined : `an image needs blob ${beyond} of it, expected one below ${blobs.length}`;
}

function repeated({ images, blobs, assumes = [] }: LockContents): string | undefined {
  const seen = new Set<string>();
  const keys = [
    ...images.map(({ name, digest }) => (name === "" ? digest : name)),
    ...[...blobs, ...assumes].map(({ digest }) => `blob ${digest}`),
  ];
  return keys.find(key => seen.size === seen.add(key).size);
}
