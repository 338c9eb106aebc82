import { createHash } from "node:crypto";
import type { Lock } from "../../bundle/lock/lock.ts";
import { parseLock } from "../../bundle/lock/parse-lock.ts";

/** Bytes from the set on that contain the number of the volume. */
const SET_BYTES = 128;

/**
 * Locks that were read. Those of the volumes of one set differ in the number of the volume alone, a command may read one file
 * twice, and a large lock takes a second to read.
 */
export class KnownLocks {
  readonly #locks = new Map<string, Lock>();
  /** Of no volume: one is enough, because others are of other files. */
  #last: { readonly key: string; readonly lock: Lock } | undefined;

  /** @throws ArchiveError as `parseLock`. */
  parse(bytes: Uint8Array, where: string): Lock {
    const found = volumeNumber(bytes);
    if (found === undefined) return this.#parseWhole(bytes, where);
    const { start, end, number } = found;
    const key = createHash("sha256")
      .update(bytes.subarray(0, start))
      .update("#")
      .update(bytes.subarray(end))
      .digest("hex");
    const known = this.#locks.get(key);
    // Whether the number is one of the set is checked where the lock is read.
    if (known?.set === undefined || number < 1 || number > known.set.of) {
      const lock = parseLock(bytes, { where });
      this.#locks.set(key, lock);
      return lock;
    }
    return { ...known, set: { ...known.set, number } };
  }

  #parseWhole(bytes: Uint8Array, where: string): Lock {
    const key = createHash("sha256").update(bytes).digest("hex");
    if (this.#last?.key !== key) this.#last = { key, lock: parseLock(bytes, { where }) };
    return this.#last.lock;
  }
}

/** Where the number of the volume is in a lock as imgpack writes it. */
function volumeNumber(
  bytes: Uint8Array,
): { readonly start: number; readonly end: number; readonly number: number } | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = buffer.lastIndexOf('"set":{"id":"');
  if (at < 0) return undefined;
  const text = buffer.toString("latin1", at, at + SET_BYTES);
  const [, before = "", number] = /^("set":\{"id":"sha256:[0-9a-f]{64}","number":)([1-9]\d{0,3}),/.exec(text) ?? [];
  if (number === undefined) return undefined;
  const start = at + before.length;
  return { start, end: start + number.length, number: Number(number) };
}
