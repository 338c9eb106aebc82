// The grammar of a whole archive, fed from outside: the same rules for positioned reads and for a stream.
import type { ArchiveError } from "../errors.ts";
import { quote } from "../util/format.ts";
import { cleanName } from "./clean-name.ts";
import { type Collision, EntryTable } from "./entry-table.ts";
import { Extension, type ExtensionType, isExtension } from "./extension.ts";
import { BLOCK_BYTES, decodeHeader, hasChecksum, hasMagic, isZero, type TarHeader } from "./header.ts";
import { notATar } from "./looks-like.ts";
import { refusal, type TarPlace, TRUNCATED_HINT } from "./refusal.ts";
import type { NameOrigin, TarEntry, TarEntryType } from "./tar-entry.ts";

/** Entries of one archive, and as many folders above them (security case T-24). An image archive has 5 per layer. */
export const MAX_ENTRIES: number = 256 * 1024;
/** Repeated folders and comments are no entries; their number is limited, too. */
const MAX_HEADERS_PER_ENTRY = 4;
/** Of names and link targets: at most 48 MiB of memory, and enough for as many names of blobs as entries are allowed. */
const MAX_TEXT_LENGTH: number = 24 * 1024 * 1024;

/** Files that every loader reads, some through links and some not, so these must be no links. */
const METADATA_NAMES: ReadonlySet<string> = new Set(["manifest.json", "index.json", "oci-layout"]);

/** Something unusual that does not change the meaning of the archive. */
export interface TarWarning {
  readonly reason: "missing-end" | "single-end-block" | "odd-length";
  readonly message: string;
}

/** What `push` takes next, from byte `position` on: exactly `bytes`, or any number of "zeros". */
export interface TarDemand {
  readonly kind: "header" | "meta" | "zeros";
  readonly bytes: number;
}

export interface TarWalkOptions {
  /** The archive as messages show it, for example `archive "app.tar"`. */
  readonly what: string;
  /** What the tar is of, for messages: "it" (the default), or "its gzip data". */
  readonly subject?: string | undefined;
  /** Bytes of the whole tar, if known: then the header of a body beyond its end is refused. */
  readonly size?: number | undefined;
  /** Default MAX_ENTRIES; for tests. */
  readonly maxEntries?: number | undefined;
}

const HEADER_DEMAND: TarDemand = { kind: "header", bytes: BLOCK_BYTES };
const ZEROS_DEMAND: TarDemand = { kind: "zeros", bytes: 0 };

export class TarWalk {
  readonly warnings: TarWarning[] = [];
  /** Two entries of one name, after `push` has thrown for them. */
  repeated: { readonly first: TarEntry; readonly second: TarEntry } | undefined;
  readonly #what: string;
  readonly #subject: string | undefined;
  readonly #size: number | undefined;
  readonly #maxEntries: number;
  readonly #table: EntryTable = new EntryTable();
  readonly #extension: Extension = new Extension();
  #meta: { readonly type: ExtensionType; readonly size: number; readonly place: TarPlace } | undefined;
  #position = 0;
  #headerCount = 0;
  #zeroBlocks = 0;
  /** The entry whose body ends at `position`, if there is one. */
  #last: TarPlace | undefined;

  constructor({ what, subject, size, maxEntries = MAX_ENTRIES }: TarWalkOptions) {
    this.#what = what;
    this.#subject = subject;
    this.#size = size;
    this.#maxEntries = maxEntries;
  }

  /** By cleaned name, in file order. */
  get entries(): ReadonlyMap<string, TarEntry> {
    return this.#table.entries;
  }

  /** Start of the demanded bytes. Bytes before it that were never demanded are body or padding: skip them. */
  get position(): number {
    return this.#position;
  }

  get demand(): TarDemand {
    if (this.#meta !== undefined) return { kind: "meta", bytes: this.#meta.size };
    return this.#zeroBlocks < 2 ? HEADER_DEMAND : ZEROS_DEMAND;
  }

  /**
   * Takes the demanded bytes and keeps none of them. Returns an entry as soon as its header is complete; `position` is then
   * after its body.
   *
   * @throws ArchiveError for the first violation of the grammar; its `reason` names the rule.
   */
  push(bytes: Uint8Array): TarEntry | undefined {
    if (this.#meta !== undefined) {
      const { type, size, place } = this.#meta;
      this.#extension.take(type, bytes, place);
      this.#meta = undefined;
      this.#position += padded(size);
      return undefined;
    }
    if (this.#zeroBlocks > 0 || isZero(bytes)) {
      this.#takeZeros(bytes);
      return undefined;
    }
    if (this.#position === 0 && !hasChecksum(bytes) && !hasMagic(bytes)) throw this.#notATar(bytes);
    return this.#takeHeader(bytes);
  }

  /** The input has ended at byte `size`. @throws ArchiveError if something is missing. */
  end(size: number): void {
    const left = size - this.#position;
    const isMidway = this.#meta !== undefined || this.#extension.since !== undefined;
    if (isMidway || left < 0 || (left > 0 && this.#zeroBlocks < 2)) {
      throw refusal(
        "truncated",
        left < 0 ? (this.#last ?? this.#place(size)) : this.#place(this.#extension.since ?? this.#position),
        `file ends at byte ${size}`,
        left < 0 ? `${this.#position}` : `at least ${this.#position + (this.#meta?.size ?? BLOCK_BYTES)}`,
        TRUNCATED_HINT,
      );
    }
    if (size === 0) throw this.#notATar(new Uint8Array());
    if (this.#zeroBlocks === 0) this.#warn("missing-end", `ends at byte ${size} without its closing zero blocks`);
    if (this.#zeroBlocks === 1) this.#warn("single-end-block", `ends at byte ${size} with one closing block of two`);
    if (size % BLOCK_BYTES !== 0) this.#warn("odd-length", `is ${size} bytes long, which is no multiple of 512`);
  }

  #notATar(start: Uint8Array): ArchiveError {
    return notATar(start, this.#size, this.#what, this.#subject);
  }

  #takeZeros(bytes: Uint8Array): void {
    if (!isZero(bytes)) {
      const reason = this.#zeroBlocks === 1 ? "data-after-zero-block" : "data-after-end";
      throw refusal(reason, this.#place(this.#position), "bytes after the end of the archive", "zeros only");
    }
    if (this.#extension.since !== undefined) {
      const place = this.#place(this.#extension.since);
      throw refusal("orphaned-meta", place, "an extension without its entry", "an entry right after it");
    }
    if (this.#zeroBlocks < 2) this.#zeroBlocks += 1;
    this.#position += bytes.length;
    this.#last = undefined;
  }

  #takeHeader(block: Uint8Array): TarEntry | undefined {
    const offset = this.#position;
    const place = this.#place(offset);
    const header = decodeHeader(block, place);
    this.#headerCount += 1;
    this.#bound("headers", this.#headerCount, MAX_HEADERS_PER_ENTRY * this.#maxEntries);
    if (!isExtension(header.type)) return this.#takeEntry(header, header.type, offset);
    this.#extension.announce(header.type, header.size, offset, place);
    this.#endOf(offset, header.size, place);
    this.#position = offset + BLOCK_BYTES;
    this.#last = undefined;
    if (header.size > 0) this.#meta = { type: header.type, size: header.size, place };
    else this.#extension.take(header.type, new Uint8Array(), place);
    return undefined;
  }

  #takeEntry(header: TarHeader, type: TarEntryType, offset: number): TarEntry | undefined {
    const { text, origin } = this.#extension.nameOf(header, this.#place(offset));
    const place = this.#place(offset, text);
    const name = cleanName(text, type === "directory", place);
    const size = this.#extension.sizeOf(header, type, place);
    const linkName = this.#extension.linkNameOf(header, type, place);
    this.#extension.clear();
    if (METADATA_NAMES.has(name) && (type === "symlink" || type === "hardlink")) {
      throw refusal(`metadata-${type}`, place, `a ${type}`, "a regular file");
    }
    this.#position = this.#endOf(offset, size, place);
    this.#last = place;
    // The root folder, which `tar cf x.tar .` writes first.
    if (name === "") return undefined;
    const bodyOffset = offset + BLOCK_BYTES;
    const entry: TarEntry =
      linkName === undefined ? { name, type, bodyOffset, size } : { name, type, linkName, bodyOffset, size };
    const collision = this.#table.add(entry, origin);
    if (collision !== undefined) throw this.#collided(entry, origin, collision, place);
    this.#bound("entries", this.#table.entries.size, this.#maxEntries);
    this.#bound("entries and folders", this.#table.pathCount, 2 * this.#maxEntries);
    this.#bound("characters of names", this.#table.textLength, MAX_TEXT_LENGTH);
    return entry;
  }

  /** First byte after a body and its padding. */
  #endOf(offset: number, size: number, place: TarPlace): number {
    const end = offset + BLOCK_BYTES + padded(size);
    if (this.#size !== undefined && end > this.#size) {
      throw refusal("truncated", place, `file ends at byte ${this.#size}`, `${end}`, TRUNCATED_HINT);
    }
    if (!Number.isSafeInteger(end)) throw refusal("bad-size", place, `a body of ${size} bytes`, "an end below 2^53");
    return end;
  }

  #collided(second: TarEntry, origin: NameOrigin, collision: Collision, place: TarPlace): ArchiveError {
    const { kind, first } = collision;
    if (kind === "file-and-folder") {
      return refusal("file-and-folder", place, "a name on its path is both a file and a folder", "one of them");
    }
    if (first !== undefined) this.repeated = { first, second };
    const how = (["gnu", "pax", "cleaned"] as const).find(each => each === origin || each === collision.origin);
    const taken = `${quote(second.name)} is the name of the entry at byte ${(first?.bodyOffset ?? 0) - BLOCK_BYTES} too`;
    return refusal(how === undefined ? "duplicate-name" : `duplicate-${how}-name`, place, taken, "each name once");
  }

  #bound(things: string, count: number, limit: number): void {
    if (count <= limit) return;
    throw refusal("too-many-entries", this.#place(this.#position), `more than ${limit} ${things}`, `at most ${limit}`);
  }

  #place(offset: number, name?: string): TarPlace {
    return { what: this.#what, offset, ...(name === undefined ? {} : { name }) };
  }

  #warn(reason: TarWarning["reason"], state: string): void {
    this.warnings.push({ reason, message: `${this.#what.charAt(0).toUpperCase()}${this.#what.slice(1)} ${state}` });
  }
}

/** Rounded up to whole blocks. */
export function padded(size: number): number {
  return Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
}
