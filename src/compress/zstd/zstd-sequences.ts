import { BackwardBits, ZstdDamage } from "./zstd-bits.ts";
import { type FseTable, fseTable, readFseTable, repeatTable } from "./zstd-fse.ts";
import { ZSTD_BLOCK_BYTES, type ZstdWindow } from "./zstd-window.ts";

/** One of the three kinds of codes in a sequence (RFC 8878 section 3.1.1.3.2). */
interface Codes {
  readonly most: number;
  readonly largestLog: number;
  readonly standard: FseTable;
}

const bits = (...runs: readonly (readonly [times: number, width: number])[]): Uint8Array =>
  Uint8Array.from(runs.flatMap(([times, width]) => Array.from({ length: times }, () => width)));

function bases(widths: Uint8Array, first: number): Int32Array {
  let base = first;
  return Int32Array.from(widths, width => {
    base += 2 ** width;
    return base - 2 ** width;
  });
}

const LITERAL_BITS = bits([16, 0], [4, 1], [2, 2], [2, 3], [1, 4], [1, 6]);
const LITERAL_WIDTHS = Uint8Array.from([...LITERAL_BITS, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
const LITERAL_BASES = bases(LITERAL_WIDTHS, 0);
const MATCH_WIDTHS = Uint8Array.from([
  ...bits([32, 0], [4, 1], [2, 2], [2, 3], [2, 4], [1, 5]),
  ...[7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
]);
const MATCH_BASES = bases(MATCH_WIDTHS, 3);

// Section 3.1.1.3.2.2: the default tables, for blocks without tables.
const LITERALS: Codes = {
  most: 35,
  largestLog: 9,
  standard: fseTable(
    [4, 3, ...Array(11).fill(2), 1, 1, 1, ...Array(9).fill(2), 3, 2, 1, 1, 1, 1, 1, ...Array(4).fill(-1)],
    6,
  ),
};
const OFFSETS: Codes = {
  most: 31,
  largestLog: 8,
  standard: fseTable([...Array(6).fill(1), 2, 2, 2, ...Array(15).fill(1), ...Array(5).fill(-1)], 5),
};
const MATCHES: Codes = {
  most: 52,
  largestLog: 9,
  standard: fseTable([1, 4, 3, ...Array(6).fill(2), ...Array(37).fill(1), ...Array(7).fill(-1)], 6),
};

/** Decodes the sequences of compressed blocks: a number of literals, then a match. */
export class ZstdSequences {
  #tables: readonly [FseTable, FseTable, FseTable] | undefined;
  readonly #recent = new Int32Array(3);

  begin(): void {
    this.#tables = undefined;
    this.#recent.set([1, 4, 8]);
  }

  /** Appends a block to the window; `section` starts after the literals. */
  run(section: Uint8Array, literals: Uint8Array, window: ZstdWindow): void {
    const [first = -1, second = 0, third = 0] = section;
    if (first < 0) throw new ZstdDamage("a block without sequences");
    const countBytes = first < 128 ? 1 : first < 255 ? 2 : 3;
    const count = first < 128 ? first : first < 255 ? (first - 128) * 256 + second : second + third * 256 + 0x7f00;
    if (count === 0) {
      if (section.length > countBytes) throw new ZstdDamage("data after the sequences");
      window.buffer.set(literals, window.head);
      window.head += literals.length;
      return;
    }
    const stream = this.#readTables(section, countBytes);
    if (this.#tables === undefined) throw new ZstdDamage("sequences without tables");
    this.#execute(count, new BackwardBits(stream), this.#tables, literals, window);
  }

  #readTables(section: Uint8Array, start: number): Uint8Array {
    const modes = section[start] ?? 1;
    if ((modes & 3) !== 0) throw new ZstdDamage("unknown modes of sequences");
    let rest = section.subarray(start + 1);
    const table = (codes: Codes, shift: number, last: FseTable | undefined): FseTable => {
      const mode = (modes >> shift) & 3;
      if (mode === 0) return codes.standard;
      if (mode === 1) {
        const symbol = rest[0] ?? 255;
        if (symbol > codes.most) throw new ZstdDamage("an unknown code");
        rest = rest.subarray(1);
        return repeatTable(symbol);
      }
      if (mode === 3) {
        if (last === undefined) throw new ZstdDamage("sequences without tables");
        return last;
      }
      const read = readFseTable(rest, codes.most, codes.largestLog);
      rest = rest.subarray(read.bytes);
      return read.table;
    };
    const [literals, offsets, matches] = this.#tables ?? [];
    this.#tables = [table(LITERALS, 6, literals), table(OFFSETS, 4, offsets), table(MATCHES, 2, matches)];
    return rest;
  }

  #execute(
    count: number,
    stream: BackwardBits,
    [literalTable, offsetTable, matchTable]: readonly [FseTable, FseTable, FseTable],
    literals: Uint8Array,
    window: ZstdWindow,
  ): void {
    const { buffer } = window;
    const end = window.head + ZSTD_BLOCK_BYTES;
    let head = window.head;
    let literal = 0;
    let literalState = stream.take(literalTable.log);
    let offsetState = stream.take(offsetTable.log);
    let matchState = stream.take(matchTable.log);
    for (let left = count; left > 0; left -= 1) {
      const literalCode = literalTable.symbols[literalState] as number;
      const matchCode = matchTable.symbols[matchState] as number;
      const offsetCode = offsetTable.symbols[offsetState] as number;
      const value = 2 ** offsetCode + stream.takeLong(offsetCode);
      const matchBytes = (MATCH_BASES[matchCode] as number) + stream.take(MATCH_WIDTHS[matchCode] as number);
      const literalBytes = (LITERAL_BASES[literalCode] as number) + stream.take(LITERAL_WIDTHS[literalCode] as number);
      const offset = this.#offset(value, literalBytes);
      // No states follow the last sequence.
      if (left > 1) {
        literalState =
          (literalTable.bases[literalState] as number) + stream.take(literalTable.bits[literalState] as number);
        matchState = (matchTable.bases[matchState] as number) + stream.take(matchTable.bits[matchState] as number);
        offsetState = (offsetTable.bases[offsetState] as number) + stream.take(offsetTable.bits[offsetState] as number);
      }
      if (stream.left < 0 || literal + literalBytes > literals.length || head + literalBytes + matchBytes > end) {
        throw new ZstdDamage("sequences that do not add up");
      }
      copyBytes(literals, literal, buffer, head, literalBytes);
      literal += literalBytes;
      head += literalBytes;
      if (offset < 1 || offset > window.reach(head)) throw new ZstdDamage("a match before the start");
      if (offset >= matchBytes) copyBytes(buffer, head - offset, buffer, head, matchBytes);
      else for (let at = head; at < head + matchBytes; at += 1) buffer[at] = buffer[at - offset] as number;
      head += matchBytes;
    }
    if (stream.left !== 0 || head + literals.length - literal > end) {
      throw new ZstdDamage("sequences that do not add up");
    }
    buffer.set(literals.subarray(literal), head);
    window.head = head + literals.length - literal;
  }

  /** Values up to 3 mean recent offsets (section 3.1.1.5). */
  #offset(value: number, literalBytes: number): number {
    const recent = this.#recent;
    const first = recent[0] as number;
    const second = recent[1] as number;
    const third = recent[2] as number;
    const slot = value > 3 ? 3 : value - (literalBytes === 0 ? 0 : 1);
    if (value <= 3 && slot === 0) return first;
    const offset = value > 3 ? value - 3 : slot === 3 ? first - 1 : slot === 1 ? second : third;
    if (slot > 1) recent[2] = second;
    recent[1] = first;
    recent[0] = offset;
    return offset;
  }
}

/** For a few bytes, a loop is faster than a call of `set`. */
function copyBytes(from: Uint8Array, start: number, to: Uint8Array, at: number, count: number): void {
  if (count > 64) {
    to.set(from.subarray(start, start + count), at);
    return;
  }
  for (let index = 0; index < count; index += 1) to[at + index] = from[start + index] as number;
}
