import { BackwardBits, ZstdDamage } from "./zstd-bits.ts";
import { readFseTable } from "./zstd-fse.ts";

const MAX_BITS = 11;

/** Indexed by the next `log` bits: symbol × 16 + length of its code. */
export interface HuffmanTable {
  readonly log: number;
  readonly cells: Uint16Array;
}

/** Reads the description of a tree (RFC 8878 section 4.2.1) at the start of `data`. */
export function readHuffmanTable(data: Uint8Array): { readonly table: HuffmanTable; readonly bytes: number } {
  const header = data[0] ?? 0;
  const bytes = 1 + (header < 128 ? header : (header - 126) >> 1);
  if (bytes > data.length) throw new ZstdDamage("a tree that is cut off");
  const packed = data.subarray(1, bytes);
  const weights = header < 128 ? codedWeights(packed) : plainWeights(packed, header - 127);
  return { table: huffmanTable(weights), bytes };
}

function plainWeights(packed: Uint8Array, count: number): number[] {
  return Array.from({ length: count }, (_, index) => {
    const pair = packed[index >> 1] as number;
    return index % 2 === 0 ? pair >> 4 : pair & 15;
  });
}

/** Two states alternate until all bits are used. */
function codedWeights(packed: Uint8Array): number[] {
  const { table, bytes } = readFseTable(packed, 255, 6);
  const bits = new BackwardBits(packed.subarray(bytes));
  const states = [bits.take(table.log), bits.take(table.log)];
  const weights: number[] = [];
  if (bits.left < 0) throw new ZstdDamage("a tree that is cut off");
  for (let turn = 0; ; turn = 1 - turn) {
    const state = states[turn] as number;
    weights.push(table.symbols[state] as number);
    states[turn] = (table.bases[state] as number) + bits.take(table.bits[state] as number);
    if (bits.left < 0) {
      weights.push(table.symbols[states[1 - turn] as number] as number);
      break;
    }
    if (weights.length > 254) throw new ZstdDamage("a tree with too many symbols");
  }
  return weights;
}

function huffmanTable(weights: number[]): HuffmanTable {
  let sum = 0;
  for (const weight of weights) {
    if (weight > MAX_BITS + 1) throw new ZstdDamage("an impossible weight");
    if (weight > 0) sum += 2 ** (weight - 1);
  }
  const log = sum === 0 ? 0 : 32 - Math.clz32(sum);
  const rest = 2 ** log - sum;
  // The last weight is implicit: it completes the sum to a power of two.
  if (log < 1 || log > MAX_BITS || weights.length > 255 || (rest & (rest - 1)) !== 0) {
    throw new ZstdDamage("a tree that does not add up");
  }
  weights.push(32 - Math.clz32(rest));
  const cells = new Uint16Array(1 << log);
  let at = 0;
  for (let weight = 1; weight <= log; weight += 1) {
    for (const [symbol, own] of weights.entries()) {
      if (own !== weight) continue;
      const end = at + (1 << (weight - 1));
      cells.fill(symbol * 16 + log + 1 - weight, at, end);
      at = end;
    }
  }
  return { log, cells };
}

/** Fills `target` from one stream, which must end at the same time. */
export function decodeHuffman(data: Uint8Array, target: Uint8Array, { log, cells }: HuffmanTable): void {
  const last = data.at(-1) ?? 0;
  if (last === 0) throw new ZstdDamage("a bit stream without its end mark");
  let left = data.length * 8 - 1 - Math.clz32(last << 24);
  const mask = (1 << log) - 1;
  const { length } = target;
  let filled = 0;
  // Two symbols have at most 22 bits, and at least 24 are loaded.
  while (left >= 32 && filled + 2 <= length) {
    const byte = (left >> 3) - 3;
    const word =
      ((data[byte] as number) |
        ((data[byte + 1] as number) << 8) |
        ((data[byte + 2] as number) << 16) |
        ((data[byte + 3] as number) << 24)) <<
      (8 - (left & 7));
    const first = cells[(word >>> (32 - log)) & mask] as number;
    const second = cells[((word << (first & 15)) >>> (32 - log)) & mask] as number;
    target[filled] = first >>> 4;
    target[filled + 1] = second >>> 4;
    filled += 2;
    left -= (first & 15) + (second & 15);
  }
  while (filled < length && left > 0) {
    const bits = left >= log ? bitsAt(data, left - log) & mask : (bitsAt(data, 0) << (log - left)) & mask;
    const cell = cells[bits] as number;
    target[filled] = cell >>> 4;
    filled += 1;
    left -= cell & 15;
  }
  if (filled < length || left !== 0) throw new ZstdDamage("literals that do not add up");
}

function bitsAt(data: Uint8Array, at: number): number {
  const byte = at >> 3;
  return ((data[byte] ?? 0) | ((data[byte + 1] ?? 0) << 8) | ((data[byte + 2] ?? 0) << 16)) >>> (at & 7);
}
