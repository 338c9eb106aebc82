// Entries in flat memory: a million of them fit in about 70 MiB, where a Map of objects needs 250.
import type { TarEntry, TarEntryType } from "./tar-entry.ts";

/** How an entry came by its name. The later forms are the suspicious ones when two entries meet. */
const NAME_ORIGINS = ["header", "cleaned", "pax", "gnu"] as const;
export type NameOrigin = (typeof NAME_ORIGINS)[number];

/** "implied" folders have no entry of their own, only entries below them. */
type RecordKind = TarEntryType | "implied";
const KINDS = ["file", "directory", "symlink", "hardlink", "implied"] as const satisfies readonly RecordKind[];

// A record: body offset (f64), size (f64), text position (u32), hash (u32), name length (u16), link length (u16),
// kind (u8), origin (u8). The link target stands right behind the name.
const RECORD_BYTES = 32;
const RECORDS_PER_CHUNK = 512;
// Holds the longest name and link target together, so that neither straddles two chunks.
const TEXT_CHUNK_BYTES = 16 * 1024;

export interface NewRecord {
  readonly kind: RecordKind;
  readonly entry: TarEntry | undefined;
  readonly origin: NameOrigin;
  readonly hash: number;
  /** Where `keepText` put the name, and its length in bytes. A folder shares the bytes of a name below it. */
  readonly text: number;
  readonly length: number;
}

/** Append-only rows; the caller finds them again by number. */
export class EntryRecords {
  readonly #chunks: Buffer[] = [];
  readonly #texts: Buffer[] = [];
  #count = 0;
  #textEnd = 0;

  get count(): number {
    return this.#count;
  }

  /** Bytes of names and link targets kept. */
  get textBytes(): number {
    return this.#textEnd;
  }

  /** Copies the first `length` bytes of `name` and the link target behind them; returns their position. */
  keepText(name: Buffer, length: number, linkName: string): number {
    const bytes = length + Buffer.byteLength(linkName);
    if (bytes > this.#texts.length * TEXT_CHUNK_BYTES - this.#textEnd) {
      this.#textEnd = this.#texts.length * TEXT_CHUNK_BYTES;
      this.#texts.push(Buffer.alloc(TEXT_CHUNK_BYTES));
    }
    const text = this.#textEnd;
    const { chunk, start } = this.#text(text);
    name.copy(chunk, start, 0, length);
    chunk.write(linkName, start + length, "utf8");
    this.#textEnd += bytes;
    return text;
  }

  append(record: NewRecord): number {
    const index = this.#count;
    if (index % RECORDS_PER_CHUNK === 0) this.#chunks.push(Buffer.alloc(RECORDS_PER_CHUNK * RECORD_BYTES));
    this.#count += 1;
    const { chunk, at } = this.#row(index);
    chunk.writeDoubleLE(record.entry?.bodyOffset ?? 0, at);
    chunk.writeDoubleLE(record.entry?.size ?? 0, at + 8);
    chunk.writeUInt32LE(record.text, at + 16);
    chunk.writeUInt32LE(record.hash, at + 20);
    chunk.writeUInt16LE(record.length, at + 24);
    chunk.writeUInt16LE(Buffer.byteLength(record.entry?.linkName ?? ""), at + 26);
    chunk.writeUInt8(KINDS.indexOf(record.kind), at + 28);
    chunk.writeUInt8(NAME_ORIGINS.indexOf(record.origin), at + 29);
    return index;
  }

  kind(index: number): RecordKind {
    const { chunk, at } = this.#row(index);
    return KINDS[chunk.readUInt8(at + 28)] ?? "implied";
  }

  origin(index: number): NameOrigin {
    const { chunk, at } = this.#row(index);
    return NAME_ORIGINS[chunk.readUInt8(at + 29)] ?? "header";
  }

  text(index: number): number {
    const { chunk, at } = this.#row(index);
    return chunk.readUInt32LE(at + 16);
  }

  hash(index: number): number {
    const { chunk, at } = this.#row(index);
    return chunk.readUInt32LE(at + 20);
  }

  hasName(index: number, name: Buffer, length: number, hash: number): boolean {
    const { chunk, at } = this.#row(index);
    if (chunk.readUInt32LE(at + 20) !== hash || chunk.readUInt16LE(at + 24) !== length) return false;
    const text = this.#text(chunk.readUInt32LE(at + 16));
    return text.chunk.compare(name, 0, length, text.start, text.start + length) === 0;
  }

  entry(index: number): TarEntry | undefined {
    const { chunk, at } = this.#row(index);
    const type = this.kind(index);
    if (type === "implied") return undefined;
    const text = this.#text(chunk.readUInt32LE(at + 16));
    const nameEnd = text.start + chunk.readUInt16LE(at + 24);
    const linkEnd = nameEnd + chunk.readUInt16LE(at + 26);
    return {
      name: text.chunk.toString("utf8", text.start, nameEnd),
      type,
      ...(linkEnd > nameEnd ? { linkName: text.chunk.toString("utf8", nameEnd, linkEnd) } : {}),
      bodyOffset: chunk.readDoubleLE(at),
      size: chunk.readDoubleLE(at + 8),
    };
  }

  #row(index: number): { chunk: Buffer; at: number } {
    const row = index % RECORDS_PER_CHUNK;
    const chunk = this.#chunks[(index - row) / RECORDS_PER_CHUNK];
    if (chunk === undefined) throw new RangeError(`no record ${index}`);
    return { chunk, at: row * RECORD_BYTES };
  }

  #text(position: number): { chunk: Buffer; start: number } {
    const start = position % TEXT_CHUNK_BYTES;
    const chunk = this.#texts[(position - start) / TEXT_CHUNK_BYTES];
    if (chunk === undefined) throw new RangeError(`no text at ${position}`);
    return { chunk, start };
  }
}
