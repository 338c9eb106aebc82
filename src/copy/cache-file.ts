import { createHmac, randomBytes } from "node:crypto";
import { join } from "node:path";
import { makeFolders, openForAppend } from "../util/disk.ts";
import { quote } from "../util/format.ts";
import { type Denied, openOwnFile } from "../util/private-file.ts";
import { replaceUnsynced } from "../util/replace-file.ts";

const LINES_FILE = "digests-v2.jsonl";
/** Next to the lines. */
const KEY_FILE = "digests-v2.key";
const KEY_BYTES = 32;
const MAC_LENGTH = 32;
/** Only the newest part of the file is read. */
const MAX_READ_BYTES = 32 * 1024 * 1024;

/**
 * A file of lines that only this user can have written: each one starts with a checksum (HMAC-SHA256, 16 bytes in hex) of a
 * key that only this user can read. Parallel runs can share it, because it is only appended to, a line per write.
 */
export class CacheFile {
  /** What earlier runs wrote. Torn, damaged and planted lines are left out. */
  readonly texts: readonly string[];
  readonly #folder: string;
  /** Undefined if there was none at the start. */
  readonly #key: Buffer | undefined;
  #making: Promise<Buffer> | undefined;
  /** Ends a line that a killed run left incomplete. */
  #lead: "" | "\n";

  private constructor(folder: string, key: Buffer | undefined, content: string) {
    this.#folder = folder;
    this.#key = key;
    this.texts = key === undefined ? [] : content.split("\n").flatMap(line => authenticText(key, line) ?? []);
    this.#lead = content === "" || content.endsWith("\n") ? "" : "\n";
  }

  /** @returns undefined, after a note, if a file is not that of this user alone. */
  static async open(folder: string, onNote: (message: string) => void): Promise<CacheFile | undefined> {
    const key = await readTail(join(folder, KEY_FILE), "reading", KEY_BYTES);
    const lines = await readTail(join(folder, LINES_FILE), "writing", MAX_READ_BYTES);
    if (key === "foreign" || (Buffer.isBuffer(key) && key.length !== KEY_BYTES)) {
      onNote(ignored(folder, KEY_FILE, "a file of 32 bytes that only you can read and write"));
      return undefined;
    }
    if (lines === "foreign") {
      onNote(ignored(folder, LINES_FILE, "a file of yours that others cannot write"));
      return undefined;
    }
    return new CacheFile(folder, key === "absent" ? undefined : key, lines === "absent" ? "" : lines.toString("utf8"));
  }

  /** If the line cannot be written, a later run takes longer. */
  async append(text: string): Promise<void> {
    try {
      // While several first runs replace each other's key, only the one in the file counts.
      const key = this.#key ?? (await this.#makeKey());
      const written = `${this.#lead}${macOf(key, text)} ${text}\n`;
      this.#lead = "";
      await using end = await openForAppend(join(this.#folder, LINES_FILE), 0o600);
      await end.write(Buffer.from(written));
    } catch {
      this.#lead = "\n";
    }
  }

  /** Once for all lines that wait for it. */
  async #makeKey(): Promise<Buffer> {
    this.#making ??= makeKey(this.#folder).finally(() => {
      this.#making = undefined;
    });
    return await this.#making;
  }
}

/** @returns the last bytes of a file of this user; "foreign" for anything else. */
async function readTail(path: string, denied: Denied, maxBytes: number): Promise<Buffer | "absent" | "foreign"> {
  const opened = await openOwnFile(path, denied);
  if (typeof opened === "string") return opened;
  await using file = opened;
  try {
    const { size } = await file.stat();
    const bytes = Buffer.alloc(Math.min(size, maxBytes));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, size - bytes.length);
    return bytes.subarray(0, bytesRead);
  } catch {
    return "foreign";
  }
}

/** @returns the key in the file, which may be that of a parallel run. @throws if there is none */
async function makeKey(folder: string): Promise<Buffer> {
  await makeFolders(folder, 0o700);
  const path = join(folder, KEY_FILE);
  if ((await readTail(path, "reading", KEY_BYTES)) === "absent") {
    // Another run may do the same now: of the lines until then, those of one key are lost.
    await replaceUnsynced(path, randomBytes(KEY_BYTES));
  }
  const key = await readTail(path, "reading", KEY_BYTES);
  if (typeof key === "string") throw new Error(`Cannot read ${quote(path)}: ${key}`);
  return key;
}

function macOf(key: Buffer, text: string): string {
  return createHmac("sha256", key).update(text).digest("hex").slice(0, MAC_LENGTH);
}

function authenticText(key: Buffer, line: string): string | undefined {
  const text = line.slice(MAC_LENGTH + 1);
  return line.length > MAC_LENGTH && line.slice(0, MAC_LENGTH) === macOf(key, text) ? text : undefined;
}

function ignored(folder: string, name: string, expected: string): string {
  return `The cache in ${quote(folder)} is not used: expected ${quote(name)} to be ${expected}`;
}
