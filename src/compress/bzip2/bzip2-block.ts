import type { Bzip2Bits } from "./bzip2-bits.ts";
import { Bzip2Code, LONGEST_CODE } from "./bzip2-code.ts";

/** Number of symbols after which the code can change. */
const GROUP_SYMBOLS = 50;
/** Enough for a block of 900,000 bytes; some writers round the number up, and readers ignore the rest. */
const MAX_SELECTORS = 18_002;
const PART_BYTES = 256 * 1024;

const crcTable = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0);
  return crc;
});

/** Decodes one block at a time, in buffers that are reused for all blocks of a file. */
export class Bzip2Block {
  /** Checksum of the output of `parts`. */
  crc = 0;
  readonly #bits: Bzip2Bits;
  #most = 0;
  /** Low 8 bits: the transformed bytes; above: position of the next byte. */
  #links: Int32Array = new Int32Array(0);
  readonly #selectors = new Uint8Array(MAX_SELECTORS);
  readonly #counts = new Uint32Array(256);
  #length = 0;
  #origin = 0;

  constructor(bits: Bzip2Bits) {
    this.#bits = bits;
  }

  /**
   * Reads a block, after magic and checksum.
   *
   * @param most bytes in a block.
   */
  async read(most: number): Promise<void> {
    const bits = this.#bits;
    this.#most = most;
    if (this.#links.length < most) this.#links = new Int32Array(most);
    await bits.ensure(48);
    if (bits.take(1) === 1) throw bits.damaged("a randomised block of bzip2 before 0.9.5");
    this.#origin = bits.take(24);
    const bytes = this.#readBytesInUse();
    const codes = bits.take(3);
    const selectors = bits.take(15);
    if (bytes.length === 0 || codes < 2 || codes > 6 || selectors === 0) throw bits.damaged("impossible block header");
    await this.#readSelectors(codes, selectors);
    const tables: Bzip2Code[] = [];
    for (let code = 0; code < codes; code += 1) tables.push(await Bzip2Code.read(bits, bytes.length + 2));
    await this.#readSymbols(bytes, tables, Math.min(selectors, MAX_SELECTORS));
    bits.checkEnd();
    if (this.#origin >= this.#length) throw bits.damaged("impossible origin of a block");
    this.#link();
  }

  /** The decoded bytes. Four equal bytes are followed by a repeat count, so 5 bytes can mean 259. */
  *parts(): Generator<Uint8Array, void> {
    const links = this.#links;
    let part = new Uint8Array(PART_BYTES);
    let filled = 0;
    let crc = -1;
    let link = links[this.#origin] as number;
    let last = -1;
    let run = 0;
    for (let left = this.#length; left > 0; left -= 1) {
      link = links[link >>> 8] as number;
      const byte = link & 0xff;
      let times = 1;
      if (run === 4) {
        times = byte;
        run = 0;
      } else {
        run = byte === last ? run + 1 : 1;
        last = byte;
      }
      if (filled + times > PART_BYTES) {
        yield part.subarray(0, filled);
        part = new Uint8Array(PART_BYTES);
        filled = 0;
      }
      for (; times > 0; times -= 1) {
        part[filled] = last;
        filled += 1;
        crc = (crc << 8) ^ (crcTable[(crc >>> 24) ^ last] as number);
      }
    }
    this.crc = ~crc >>> 0;
    if (filled > 0) yield part.subarray(0, filled);
  }

  #readBytesInUse(): Uint8Array {
    const bytes: number[] = [];
    const groups = this.#bits.take(16);
    for (let group = 0; group < 16; group += 1) {
      if (((groups >> (15 - group)) & 1) === 0) continue;
      const used = this.#bits.take(16);
      for (let byte = 0; byte < 16; byte += 1) if (((used >> (15 - byte)) & 1) === 1) bytes.push(group * 16 + byte);
    }
    return Uint8Array.from(bytes);
  }

  async #readSelectors(codes: number, selectors: number): Promise<void> {
    const bits = this.#bits;
    const recent = Uint8Array.from({ length: codes }, (_, code) => code);
    for (let index = 0; index < selectors; index += 1) {
      if (!bits.isReady(4)) await bits.ensure(4);
      let rank = 0;
      while (bits.take(1) === 1) {
        rank += 1;
        if (rank >= codes) throw bits.damaged("a code that does not exist");
      }
      const code = recent[rank] as number;
      recent.copyWithin(1, 0, rank);
      recent[0] = code;
      if (index < MAX_SELECTORS) this.#selectors[index] = code;
    }
  }

  async #readSymbols(recent: Uint8Array, tables: readonly Bzip2Code[], selectors: number): Promise<void> {
    const bits = this.#bits;
    const links = this.#links;
    const counts = this.#counts.fill(0);
    const end = recent.length + 1;
    let length = 0;
    let run = 0;
    let runUnit = 1;
    for (let group = 0; group < selectors; group += 1) {
      const bytes = (GROUP_SYMBOLS * LONGEST_CODE) / 8 + 4;
      if (!bits.isReady(bytes)) await bits.ensure(bytes);
      const table = tables[this.#selectors[group] as number] as Bzip2Code;
      for (let left = GROUP_SYMBOLS; left > 0; left -= 1) {
        const symbol = table.next(bits);
        if (symbol < 2) {
          run += runUnit << symbol;
          runUnit *= 2;
          if (run > this.#most) throw bits.damaged("a block longer than allowed");
          continue;
        }
        if (run > 0) {
          if (length + run > this.#most) throw bits.damaged("a block longer than allowed");
          const byte = recent[0] as number;
          links.fill(byte, length, length + run);
          length += run;
          counts[byte] = (counts[byte] as number) + run;
          run = 0;
          runUnit = 1;
        }
        if (symbol === end) {
          this.#length = length;
          return;
        }
        if (length >= this.#most) throw bits.damaged("a block longer than allowed");
        const rank = symbol - 1;
        const byte = recent[rank] as number;
        for (let index = rank; index > 0; index -= 1) recent[index] = recent[index - 1] as number;
        recent[0] = byte;
        counts[byte] = (counts[byte] as number) + 1;
        links[length] = byte;
        length += 1;
      }
    }
    throw bits.damaged("a block without end");
  }

  /** Inverts the Burrows-Wheeler transform. */
  #link(): void {
    const links = this.#links;
    const next = new Uint32Array(256);
    for (let byte = 1; byte < 256; byte += 1) {
      next[byte] = (next[byte - 1] as number) + (this.#counts[byte - 1] as number);
    }
    for (let index = 0; index < this.#length; index += 1) {
      const byte = (links[index] as number) & 0xff;
      const position = next[byte] as number;
      links[position] = (links[position] as number) | (index << 8);
      next[byte] = position + 1;
    }
  }
}
