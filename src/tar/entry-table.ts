import { EntryRecords, type NameOrigin, type NewRecord } from "./entry-records.ts";
import { KeyedHash } from "./keyed-hash.ts";
import { NAME_BYTES } from "./name.ts";
import type { TarEntry } from "./tar-entry.ts";

/** Why an entry cannot be added. `first` is missing when a folder is only implied, by the name of an entry below it. */
export interface Collision {
  readonly kind: "repeated" | "file-and-folder";
  readonly first: TarEntry | undefined;
  readonly origin: NameOrigin;
}

/** The entries of an archive by name, in file order, and the rule that a path is one thing only. */
export class EntryTable implements ReadonlyMap<string, TarEntry> {
  readonly #records: EntryRecords = new EntryRecords();
  readonly #keyedHash: KeyedHash = new KeyedHash();
  /** The name in hand, as bytes: three at most for each UTF-16 unit. */
  readonly #scratch: Buffer = Buffer.alloc(3 * NAME_BYTES);
  /** Open addressing; holds record number + 1, and 0 for a free slot. */
  #slots: Int32Array = new Int32Array(256);
  #size = 0;
  #lastFolder = "";

  /** Entries; folders that are only implied do not count. */
  get size(): number {
    return this.#size;
  }

  /** Entries and implied folders. */
  get pathCount(): number {
    return this.#records.count;
  }

  /** Bytes of names and link targets kept. */
  get textBytes(): number {
    return this.#records.textBytes;
  }

  /** Adds an entry whose name is clean and at most 4096 bytes long; a repeated directory changes nothing. */
  add(entry: TarEntry, origin: NameOrigin): Collision | undefined {
    const length = this.#scratch.write(entry.name, 0, "utf8");
    const hash = this.#keyedHash.of(this.#scratch, length);
    const slot = this.#find(length, hash);
    const known = (this.#slots[slot] ?? 0) - 1;
    if (known >= 0) {
      const kind = this.#records.kind(known);
      const isFolder = kind === "directory" || kind === "implied";
      if (isFolder !== (entry.type === "directory")) return this.#collision("file-and-folder", known);
      if (!isFolder) return this.#collision("repeated", known);
      if (kind === "directory") return undefined;
    }
    const text =
      known >= 0 ? this.#records.text(known) : this.#records.keepText(this.#scratch, length, entry.linkName ?? "");
    this.#insert(slot, { kind: entry.type, entry, origin, hash, text, length });
    this.#size += 1;
    return known >= 0 ? undefined : this.#addFolders(entry.name, length, text);
  }

  get(name: string): TarEntry | undefined {
    if (name.length > NAME_BYTES) return undefined;
    const length = this.#scratch.write(name, 0, "utf8");
    const record = (this.#slots[this.#find(length, this.#keyedHash.of(this.#scratch, length))] ?? 0) - 1;
    const entry = record < 0 ? undefined : this.#records.entry(record);
    // Lone surrogates are written as U+FFFD, which is a legal character of names.
    return entry?.name === name ? entry : undefined;
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  *values(): Generator<TarEntry, undefined> {
    for (let index = 0; index < this.#records.count; index += 1) {
      const entry = this.#records.entry(index);
      if (entry !== undefined) yield entry;
    }
    return undefined;
  }

  *keys(): Generator<string, undefined> {
    for (const entry of this.values()) yield entry.name;
    return undefined;
  }

  *entries(): Generator<[string, TarEntry], undefined> {
    for (const entry of this.values()) yield [entry.name, entry];
    return undefined;
  }

  [Symbol.iterator](): Generator<[string, TarEntry], undefined> {
    return this.entries();
  }

  forEach(visit: (entry: TarEntry, name: string, map: ReadonlyMap<string, TarEntry>) => void): void {
    for (const entry of this.values()) visit(entry, entry.name, this);
  }

  /** Every folder above the name that stands in the scratch buffer, from the nearest up to the first known one. */
  #addFolders(name: string, nameLength: number, text: number): Collision | undefined {
    const folder = name.slice(0, Math.max(name.lastIndexOf("/"), 0));
    if (folder === this.#lastFolder) return undefined;
    for (let length = this.#slashBefore(nameLength); length > 0; length = this.#slashBefore(length)) {
      const hash = this.#keyedHash.of(this.#scratch, length);
      const slot = this.#find(length, hash);
      const known = (this.#slots[slot] ?? 0) - 1;
      if (known >= 0) {
        const kind = this.#records.kind(known);
        if (kind !== "directory" && kind !== "implied") return this.#collision("file-and-folder", known);
        break;
      }
      this.#insert(slot, { kind: "implied", entry: undefined, origin: "header", hash, text, length });
    }
    this.#lastFolder = folder;
    return undefined;
  }

  #slashBefore(length: number): number {
    return this.#scratch.lastIndexOf(0x2f, length - 1);
  }

  #collision(kind: Collision["kind"], index: number): Collision {
    return { kind, first: this.#records.entry(index), origin: this.#records.origin(index) };
  }

  /** The slot of the name that stands in the scratch buffer, or the free slot where it belongs. */
  #find(length: number, hash: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const record = (this.#slots[slot] ?? 0) - 1;
      if (record < 0 || this.#records.hasName(record, this.#scratch, length, hash)) return slot;
    }
  }

  #insert(slot: number, record: NewRecord): void {
    this.#slots[slot] = this.#records.append(record) + 1;
    if (this.#records.count * 2 > this.#slots.length) this.#grow();
  }

  #grow(): void {
    const grown = new Int32Array(this.#slots.length * 2);
    const mask = grown.length - 1;
    for (const value of this.#slots) {
      if (value === 0) continue;
      let slot = this.#records.hash(value - 1) & mask;
      while (grown[slot] !== 0) slot = (slot + 1) & mask;
      grown[slot] = value;
    }
    this.#slots = grown;
  }
}
