import { BLOCK_BYTES, hasChecksum, isZero } from "./header.ts";
import { decodeSize } from "./number.ts";

export interface WalkedHeader {
  readonly block: Buffer;
  /** As the header states it, also for an entry without a body. */
  readonly size: number;
}

export interface HeaderSink {
  /** The block is reused. */
  onHeader?(header: WalkedHeader): void;
  /** Bytes of the body, where an extension has said something else than the header. */
  bodyBytes?(header: WalkedHeader): number;
  /** Body bytes of the last header, with its padding. */
  onBody?(part: Uint8Array): void;
  /** A block of zeros where a header may be: what follows is not read by others. */
  onEnd?(): void;
  /** The first block is no header of a tar. */
  onStranger(block: Buffer): void;
  /** A later block is no header. */
  onLost?(): void;
}

const GNU_SPARSE = 0x53;
/** Where a GNU sparse header, and a block that continues its map, say that another such block follows. */
const SPARSE_CONTINUES_AT = 482;
const SPARSE_BLOCK_CONTINUES_AT = 504;

/**
 * Finds the headers of a tar while its bytes pass, whatever its entries are: for checks of bytes that another program
 * unpacks. After a block that is no header (an unknown extension, bytes behind the end) nothing more is found.
 */
export class HeaderWalk {
  readonly #sink: HeaderSink;
  readonly #block: Buffer = Buffer.alloc(BLOCK_BYTES);
  #filled = 0;
  #seen = 0;
  /** Body bytes until the next header. */
  #toSkip = 0;
  /** Of these. */
  #padding = 0;
  #isFirst = true;
  #isLost = false;
  /** True from a block of zeros on: what follows may be anything. */
  #isEnded = false;
  /** Whether the next block continues the map of a sparse file; its body follows then. */
  #isInMap = false;

  constructor(sink: HeaderSink) {
    this.#sink = sink;
  }

  /** Bytes so far. */
  get seen(): number {
    return this.#seen;
  }

  /** True if what came so far ends in the middle of a header or of a body. Padding may be missing: readers accept that. */
  get isCut(): boolean {
    return !this.#isLost && (this.#isInMap || this.#toSkip > this.#padding || !(this.#isEnded || isZero(this.rest)));
  }

  /** The block that did not get full. */
  get rest(): Buffer {
    return this.#block.subarray(0, this.#filled);
  }

  /** Takes chunks in order. */
  take(chunk: Uint8Array): void {
    this.#seen += chunk.length;
    for (let at = 0; at < chunk.length && !this.#isLost; ) {
      if (this.#toSkip > 0 && !this.#isInMap) {
        const step = Math.min(this.#toSkip, chunk.length - at);
        this.#sink.onBody?.(chunk.subarray(at, at + step));
        this.#toSkip -= step;
        at += step;
        continue;
      }
      const step = Math.min(BLOCK_BYTES - this.#filled, chunk.length - at);
      this.#block.set(chunk.subarray(at, at + step), this.#filled);
      this.#filled += step;
      at += step;
      if (this.#filled === BLOCK_BYTES) this.#header();
    }
  }

  #header(): void {
    this.#filled = 0;
    const block = this.#block;
    if (this.#isInMap) {
      this.#isInMap = block[SPARSE_BLOCK_CONTINUES_AT] !== 0;
      return;
    }
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    this.#isEnded = isZero(block);
    if (this.#isEnded) {
      this.#sink.onEnd?.();
      return;
    }
    const size = hasChecksum(block) ? decodeSize(block, 124, 136) : undefined;
    if (size === undefined) {
      this.#isLost = true;
      if (isFirst) this.#sink.onStranger(block);
      else this.#sink.onLost?.();
      return;
    }
    const type = block[156];
    // Links, devices and folders have no body, whatever size they state.
    const hasBody = type === 0 || type === undefined || type < 0x31 || type > 0x36;
    const header = { block, size };
    this.#sink.onHeader?.(header);
    const bytes = hasBody ? (this.#sink.bodyBytes?.(header) ?? size) : 0;
    this.#toSkip = Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
    this.#padding = this.#toSkip - bytes;
    this.#isInMap = type === GNU_SPARSE && block[SPARSE_CONTINUES_AT] !== 0;
  }
}
