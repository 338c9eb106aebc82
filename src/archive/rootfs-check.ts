import { ArchiveError } from "../errors.ts";
import { BLOCK_BYTES } from "../tar/header.ts";
import { HeaderWalk, type WalkedHeader } from "../tar/header-walk.ts";
import { looksLike } from "../tar/looks-like.ts";
import { TRUNCATED_HINT } from "../tar/refusal.ts";
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
  readonly #walk: HeaderWalk;
  #peek: { bytes: Buffer; left: number } | undefined;

  /** @param what names the tar in messages. */
  constructor(what: string) {
    this.#what = what;
    this.#walk = new HeaderWalk({
      onHeader: header => this.#header(header),
      onBody: body => this.#keep(body),
      onStranger: block => {
        throw this.#stranger(block);
      },
    });
  }

  /** Takes chunks in order. @throws ArchiveError "not-a-tar", "image-archive". */
  take(chunk: Uint8Array): void {
    this.#walk.take(chunk);
  }

  /** @throws ArchiveError "not-a-tar" if it is too short, "truncated" if it ends in the middle of an entry. */
  end(): void {
    const { seen, isCut, rest } = this.#walk;
    if (seen === 0) throw notARootfs(this.#what, "it is empty");
    if (seen < BLOCK_BYTES) throw this.#stranger(rest);
    if (!isCut) return;
    throw new ArchiveError(
      "truncated",
      `Cannot import ${this.#what}: it ends in the middle of an entry, expected all of it`,
      {
        hint: TRUNCATED_HINT,
      },
    );
  }

  #header({ block, size }: WalkedHeader): void {
    const type = block[156];
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

  #stranger(start: Buffer): ArchiveError {
    const { name, hint } = looksLike(start);
    const size = start.length < BLOCK_BYTES ? ` of ${formatBytes(start.length)}` : "";
    return notARootfs(this.#what, `it looks like ${name}${size}`, hint);
  }
}

function notARootfs(what: string, found: string, hint?: string): ArchiveError {
  return new ArchiveError("not-a-tar", `Cannot import ${what}: ${found}, expected a root filesystem tar`, {
    hint: hint ?? 'Such a tar comes from "docker export" or "tar -C FOLDER -c ."; a folder can be imported as it is.',
  });
}
