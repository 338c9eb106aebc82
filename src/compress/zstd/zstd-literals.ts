import { ZstdDamage } from "./zstd-bits.ts";
import { decodeHuffman, type HuffmanTable, readHuffmanTable } from "./zstd-huffman.ts";
import { ZSTD_BLOCK_BYTES } from "./zstd-window.ts";

/** Decodes the literals of compressed blocks (RFC 8878 section 3.1.1.3.1). */
export class ZstdLiterals {
  readonly #buffer = new Uint8Array(ZSTD_BLOCK_BYTES);
  /** Table of the last block that had one; later blocks of the frame can reuse it. */
  #table: HuffmanTable | undefined;

  begin(): void {
    this.#table = undefined;
  }

  /** @returns the literals, valid until the next call, and the number of bytes of `block` that they use. */
  read(block: Uint8Array): { readonly literals: Uint8Array; readonly bytes: number } {
    const [first = 0, second = 0, third = 0, fourth = 0, fifth = 0] = block;
    const kind = first & 3;
    const sizes = (first >> 2) & 3;
    if (kind < 2) {
      const headerBytes = sizes === 1 ? 2 : sizes === 3 ? 3 : 1;
      const count =
        headerBytes === 1 ? first >> 3 : (first >> 4) | (second << 4) | (headerBytes === 3 ? third << 12 : 0);
      this.#checkCount(count);
      const bytes = headerBytes + (kind === 0 ? count : 1);
      if (bytes > block.length) throw new ZstdDamage("literals that are cut off");
      const literals =
        kind === 0
          ? block.subarray(headerBytes, bytes)
          : this.#buffer.subarray(0, count).fill(block[headerBytes] as number);
      return { literals, bytes };
    }
    const headerBytes = Math.max(3, sizes + 2);
    const width = headerBytes === 3 ? 10 : headerBytes === 4 ? 14 : 18;
    const fields = (first >> 4) + second * 2 ** 4 + third * 2 ** 12 + (headerBytes > 3 ? fourth * 2 ** 20 : 0);
    const all = fields + (headerBytes > 4 ? fifth * 2 ** 28 : 0);
    const count = all % 2 ** width;
    const bytes = headerBytes + (Math.floor(all / 2 ** width) % 2 ** width);
    this.#checkCount(count);
    if (bytes > block.length) throw new ZstdDamage("literals that are cut off");
    let data = block.subarray(headerBytes, bytes);
    if (kind === 2) {
      const tree = readHuffmanTable(data);
      this.#table = tree.table;
      data = data.subarray(tree.bytes);
    }
    if (this.#table === undefined) throw new ZstdDamage("literals without a tree");
    const literals = this.#buffer.subarray(0, count);
    if (sizes === 0) decodeHuffman(data, literals, this.#table);
    else decodeFourStreams(data, literals, this.#table);
    return { literals, bytes };
  }

  #checkCount(count: number): void {
    if (count > ZSTD_BLOCK_BYTES) throw new ZstdDamage("too many literals");
  }
}

/** Four streams, after the sizes of the first three; the first three have equal output. */
function decodeFourStreams(data: Uint8Array, target: Uint8Array, table: HuffmanTable): void {
  const quarter = (target.length + 3) >> 2;
  let from = 6;
  if (data.length < 10 || quarter * 3 > target.length) throw new ZstdDamage("literals that are cut off");
  for (let stream = 0; stream < 4; stream += 1) {
    const size = (data[stream * 2] as number) | ((data[stream * 2 + 1] as number) << 8);
    const to = stream === 3 ? data.length : from + size;
    if (to > data.length) throw new ZstdDamage("literals that are cut off");
    const start = stream * quarter;
    decodeHuffman(data.subarray(from, to), target.subarray(start, stream === 3 ? undefined : start + quarter), table);
    from = to;
  }
}
