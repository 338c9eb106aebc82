import { ArchiveError } from "../errors.ts";
import { BLOCK_BYTES, hasChecksum, isZero } from "../tar/header.ts";
import { looksLike } from "../tar/looks-like.ts";
import { decodeSize } from "../tar/number.ts";
import { formatBytes } from "../util/format.ts";

/** Bytes of a `manifest.json` that are checked. */
const PEEK_BYTES = 4096;
const FILE = 0x30;

/**
 * Checks the bytes of a root filesystem tar while they are read. It must start like a tar, or contain only zeros; devices,
 * sparse files and all extensions are accepted, because only the runtime unpacks it. An image archive is refused: as a
 * root filesystem it could not start.
 */
export class RootfsCheck {
  readonly #what: string;
  readonly #block: Buffer = Buffer.alloc(BLOCK_BYTES);
  #filled = 0;
  #seen = 0;
  /** Body bytes until the next header. */
  #toSkip = 0;
  #isLost = false;
  #peek: { bytes: Buffer; left: number } | undefined;

  /** @param what names the tar in messages. */
  constructor(what: string) {
    this.#what = what;
  }

  /** Takes chunks in order. @throws ArchiveError "not-a-tar", "image-archive". */
  take(chunk: Uint8Array): void {
    this.#seen += chunk.length;
    for (let at = 0; at < chunk.length && !this.#isLost; ) {
      if (this.#toSkip > 0) {
        const step = Math.min(this.#toSkip, chunk.length - at);
        this.#keep(chunk.subarray(at, at + step));
        this.#toSkip -= step;
        at += step;
        continue;
      }
      const step = Math.min(BLOCK_BYTES - this.#filled, chunk.length - at);
      this.#block.set(chunk.subarray(at, at + step), this.#filled);
      this.#filled += step;
      at += step;
      if (this.#filled === BLOCK_BYTES) this.#header(this.#seen - chunk.length + at === BLOCK_BYTES);
    }
  }

  /** @throws ArchiveError "not-a-tar" if it is too short. */
  end(): void {
    if (this.#seen >= BLOCK_BYTES) return;
    throw this.#seen === 0 ? notARootfs(this.#what, "it is empty") : this.#stranger(this.#filled);
  }

  #header(isFirst: boolean): void {
    this.#filled = 0;
    const block = this.#block;
    if (isZero(block)) return;
    const size = hasChecksum(block) ? decodeSize(block, 124, 136) : undefined;
    if (size === undefined) {
      if (isFirst) throw this.#stranger(BLOCK_BYTES);
      // An unknown extension, or bytes after the end: nothing more can be found or refused.
      this.#isLost = true;
      return;
    }
    const type = block[156];
    const hasBody = type === 0 || type === undefined || type < 0x31 || type > 0x36;
    this.#toSkip = hasBody ? Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES : 0;
    const end = block.indexOf(0);
    const name = block.toString("utf8", 0, end < 0 || end > 100 ? 100 : end).replace(/^\.\//, "");
    const isFile = type === 0 || type === FILE;
    if (isFile && name === "oci-layout" && size < PEEK_BYTES) this.#peek = { bytes: Buffer.alloc(0), left: size };
    if (isFile && name === "manifest.json") {
      this.#peek = { bytes: Buffer.alloc(0), left: Math.min(size, PEEK_BYTES) };
    }
  }

  #keep(body: Uint8Array): void {
    const peek = this.#peek;
    if (peek === undefined) return;
    const part = body.subarray(0, peek.left);
    peek.bytes = Buffer.concat([peek.bytes, part]);
    peek.left -= part.length;
    if (peek.left > 0) return;
    this.#peek = undefined;
    const text = peek.bytes.toString("latin1");
    // A file of that name may belong to a program: its content decides.
    if (/"imageLayoutVersion"/.test(text) || (/^\s*\[/.test(text) && /"Config"/.test(text) && /"Layers"/.test(text))) {
      throw new ArchiveError(
        "image-archive",
        `Cannot import ${this.#what}: it is an image archive, expected a root filesystem tar`,
        { hint: 'Send it to a registry as it is with "imgpack push".' },
      );
    }
  }

  #stranger(bytes: number): ArchiveError {
    const { name, hint } = looksLike(this.#block.subarray(0, bytes));
    const size = this.#seen < BLOCK_BYTES ? ` of ${formatBytes(this.#seen)}` : "";
    return notARootfs(this.#what, `it looks like ${name}${size}`, hint);
  }
}

function notARootfs(what: string, found: string, hint?: string): ArchiveError {
  return new ArchiveError("not-a-tar", `Cannot import ${what}: ${found}, expected a root filesystem tar`, {
    hint: hint ?? 'Such a tar comes from "docker export" or "tar -C FOLDER -c ."; a folder can be imported as it is.',
  });
}
