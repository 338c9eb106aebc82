import type { ExtensionType } from "./extension.ts";
import { BLOCK_BYTES } from "./header.ts";
import { HeaderWalk, type WalkedHeader } from "./header-walk.ts";
import { type ListedEntry, type ListedKind, MAX_LISTED_TEXT } from "./listed-entry.ts";
import { loosePax, type PaxRecords, paxNumber } from "./loose-pax.ts";
import { decodeOctal, decodeSize } from "./number.ts";
import { MAX_PAX_BYTES } from "./pax.ts";

const KINDS: ReadonlyMap<number, ListedKind> = new Map([
  [0x00, "file"],
  [0x30, "file"],
  [0x37, "file"],
  [0x53, "file"],
  [0x31, "hardlink"],
  [0x32, "symlink"],
  [0x33, "device"],
  [0x34, "device"],
  [0x35, "folder"],
  [0x36, "pipe"],
]);
const EXTENSIONS: ReadonlyMap<number, ExtensionType> = new Map([
  [0x78, "pax"],
  [0x67, "pax-global"],
  [0x4c, "gnu-long-name"],
  [0x4b, "gnu-long-link"],
]);
const GNU_SPARSE = 0x53;
/** Of a sparse file, with its holes: where old GNU headers have it, and PAX keys of newer ones. */
const SPARSE_SIZE_AT = 483;
const SPARSE_SIZE_KEYS = ["GNU.sparse.realsize", "GNU.sparse.size", "SCHILY.realsize"] as const;
const NO_RECORDS: PaxRecords = new Map();

/** How a list ended: at the end of the tar, or at what is no tar. */
export type ListedEnd = "end" | "not-a-tar" | "not-a-header" | "extension-too-long" | "cut";

/**
 * Lists the entries of a tar while its bytes pass, and accepts all that runtimes unpack: devices, sparse files, repeated
 * and absolute names, any extension. Only for showing them: nothing may be unpacked by these names.
 */
export class EntryLister {
  readonly #walk: HeaderWalk;
  readonly #onEntry: (entry: ListedEntry) => void;
  #end: ListedEnd | undefined;
  /** The extension whose body passes. */
  #meta: { readonly type: ExtensionType; readonly body: Buffer; filled: number } | undefined;
  /** Of the last header, as it or its extension says. */
  #bodyBytes = 0;
  #pax: PaxRecords = NO_RECORDS;
  #longName: string | undefined;
  #longLink: string | undefined;

  constructor(onEntry: (entry: ListedEntry) => void) {
    this.#onEntry = onEntry;
    this.#walk = new HeaderWalk({
      onHeader: header => this.#header(header),
      bodyBytes: () => this.#bodyBytes,
      onBody: part => this.#body(part),
      onEnd: () => this.#stop("end"),
      onStranger: () => this.#stop("not-a-tar"),
      onLost: () => this.#stop("not-a-header"),
    });
  }

  /** Bytes so far. */
  get seen(): number {
    return this.#walk.seen;
  }

  /** Takes chunks in order. */
  take(chunk: Uint8Array): void {
    this.#walk.take(chunk);
  }

  /** All bytes came. */
  end(): ListedEnd {
    if (this.#end !== undefined) return this.#end;
    const { isCut, seen } = this.#walk;
    if (seen > 0 && seen < BLOCK_BYTES) return "not-a-tar";
    return isCut || this.#meta !== undefined ? "cut" : "end";
  }

  #stop(end: ListedEnd): void {
    this.#end ??= end;
  }

  #header(header: WalkedHeader): void {
    const { block, size } = header;
    const type = EXTENSIONS.get(block[156] ?? 0);
    this.#meta = undefined;
    this.#bodyBytes = size;
    if (this.#end !== undefined) return;
    if (type === undefined) this.#entry(header);
    else if (size > MAX_PAX_BYTES) this.#stop("extension-too-long");
    else if (size > 0) this.#meta = { type, body: Buffer.alloc(size), filled: 0 };
  }

  #body(part: Uint8Array): void {
    const meta = this.#meta;
    if (meta === undefined) return;
    const wanted = part.subarray(0, meta.body.length - meta.filled);
    meta.body.set(wanted, meta.filled);
    meta.filled += wanted.length;
    if (meta.filled < meta.body.length) return;
    this.#meta = undefined;
    if (meta.type === "pax") this.#pax = loosePax(meta.body);
    else if (meta.type === "gnu-long-name") this.#longName = text(meta.body);
    else if (meta.type === "gnu-long-link") this.#longLink = text(meta.body);
  }

  #entry({ block, size }: WalkedHeader): void {
    const type = block[156] ?? 0;
    const pax = this.#pax;
    const written = this.#longName ?? paxText(pax, "GNU.sparse.name") ?? paxText(pax, "path") ?? headerName(block);
    const isFolderName = written.endsWith("/");
    // A file of the oldest format whose name ends in a slash is a folder.
    const kind = (type === 0 || type === 0x30) && isFolderName ? "folder" : (KINDS.get(type) ?? "other");
    const entry: ListedEntry = {
      name: kind === "folder" && isFolderName ? written.slice(0, -1) : written,
      kind,
      size: kind === "file" ? this.#sizeOf(block, type, size) : 0,
      mode: (decodeOctal(block, 100, 108) ?? 0) & 0o7777,
      uid: paxNumber(pax, "uid") ?? decodeSize(block, 108, 116) ?? 0,
      gid: paxNumber(pax, "gid") ?? decodeSize(block, 116, 124) ?? 0,
    };
    if (kind !== "symlink" && kind !== "hardlink") this.#onEntry(entry);
    else {
      const target = this.#longLink ?? paxText(pax, "linkpath") ?? text(block.subarray(157, 257));
      this.#onEntry({ ...entry, target });
    }
    this.#bodyBytes = paxNumber(pax, "size") ?? size;
    this.#pax = NO_RECORDS;
    this.#longName = this.#longLink = undefined;
  }

  #sizeOf(block: Buffer, type: number, size: number): number {
    if (type === GNU_SPARSE) return decodeSize(block, SPARSE_SIZE_AT, SPARSE_SIZE_AT + 12) ?? size;
    for (const key of SPARSE_SIZE_KEYS) {
      const found = paxNumber(this.#pax, key);
      if (found !== undefined) return found;
    }
    return paxNumber(this.#pax, "size") ?? size;
  }
}

function paxText(records: PaxRecords, key: string): string | undefined {
  const value = records.get(key);
  return value === undefined ? undefined : text(value);
}

function headerName(block: Buffer): string {
  const name = text(block.subarray(0, 100));
  const isPosix = block.toString("latin1", 257, 263) === "ustar\0";
  const prefix = isPosix ? text(block.subarray(345, 500)) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** Up to its NUL; what is not UTF-8 becomes U+FFFD. */
function text(bytes: Buffer): string {
  const nul = bytes.indexOf(0);
  const end = Math.min(nul < 0 ? bytes.length : nul, 4 * MAX_LISTED_TEXT);
  const whole = bytes.toString("utf8", 0, end);
  if (whole.length <= MAX_LISTED_TEXT) return whole;
  // A copy: a part of a text keeps all of it in memory.
  return Buffer.from(`${whole.slice(0, MAX_LISTED_TEXT)}…`).toString("utf8");
}
