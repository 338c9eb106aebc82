import { crc32 } from "node:zlib";
import type { ByteReader } from "../byte-reader.ts";
import { MAX_WINDOW_BYTES } from "../compressed-data.ts";
import { LzmaDecoder } from "./lzma-decoder.ts";
import { LzmaWindow } from "./lzma-window.ts";
import type { XzCheck } from "./xz-check.ts";

const LZMA2 = 0x21;

/** Decodes the blocks of xz streams (xz file format 1.2.1, section 3). */
export class XzBlocks {
  /** Of the last block: its size without padding, and its decoded size. */
  unpadded = 0;
  written = 0;
  readonly #input: ByteReader;
  readonly #window = new LzmaWindow();
  readonly #lzma: LzmaDecoder = new LzmaDecoder(this.#window);

  constructor(input: ByteReader) {
    this.#input = input;
  }

  /** Decodes a block, after its first byte `headerSize`. */
  async *block(headerSize: number, check: XzCheck): AsyncGenerator<Uint8Array, void> {
    const input = this.#input;
    const start = input.position - 1;
    const header = await this.#readHeader(headerSize);
    this.#window.begin(header.dictionaryBytes);
    const dataStart = input.position;
    const sum = check.create();
    this.written = 0;
    for await (const part of this.#chunks()) {
      this.written += part.length;
      sum.update(part);
      yield part;
    }
    const compressed = input.position - dataStart;
    if ((header.compressed ?? compressed) !== compressed || (header.written ?? this.written) !== this.written) {
      throw input.damaged("a block of another size than its header says");
    }
    this.unpadded = input.position - start + check.bytes;
    await expectZeros(input, -compressed & 3);
    const found = Buffer.from(await input.take(check.bytes));
    if (!found.equals(sum.digest())) throw input.damaged("wrong checksum of a block");
  }

  async #readHeader(
    size: number,
  ): Promise<{ dictionaryBytes: number; compressed: number | undefined; written: number | undefined }> {
    const input = this.#input;
    const bytes = Buffer.concat([Uint8Array.of(size), await input.take(size * 4 + 3)]);
    if (crc32(bytes.subarray(0, -4)) !== bytes.readUInt32LE(bytes.length - 4)) {
      throw input.damaged("wrong checksum of a block header");
    }
    const fields = new Fields(bytes.subarray(1, -4), input);
    const flags = fields.byte();
    if ((flags & 0x3c) !== 0) throw input.damaged("unknown flags in a block header");
    const compressed = (flags & 0x40) === 0 ? undefined : fields.number();
    const written = (flags & 0x80) === 0 ? undefined : fields.number();
    const filter = fields.number();
    if ((flags & 3) !== 0 || filter !== LZMA2) {
      throw input.unsupported(
        "xz-filter",
        "an xz filter other than LZMA2, expected LZMA2 only",
        "Decompress the file with xz and compress it without such a filter.",
      );
    }
    const propertyBytes = fields.number();
    const property = fields.byte();
    if (propertyBytes !== 1 || property > 40 || fields.rest().some(byte => byte !== 0)) {
      throw input.damaged("impossible block header");
    }
    const dictionaryBytes = property === 40 ? 2 ** 32 - 1 : (2 | (property & 1)) * 2 ** ((property >> 1) + 11);
    if (dictionaryBytes > MAX_WINDOW_BYTES) {
      throw input.unsupported(
        "xz-dictionary",
        `an xz dictionary of ${dictionaryBytes} bytes, expected at most ${MAX_WINDOW_BYTES}`,
        "Decompress the file with xz and compress it with a smaller dictionary: xz -9 is within the limit.",
      );
    }
    return { dictionaryBytes, compressed, written };
  }

  /** Decodes LZMA2: chunks of at most 64 KiB, each at most 2 MiB when decoded. */
  async *#chunks(): AsyncGenerator<Uint8Array, void> {
    const input = this.#input;
    const [window, lzma] = [this.#window, this.#lzma];
    let needsReset = true;
    let needsProperties = true;
    for (;;) {
      const control = (await input.take(1))[0] ?? 0;
      if (control === 0) return;
      if (control === 1 || control >= 0xe0) {
        needsReset = false;
        needsProperties = true;
        window.reset();
      } else if (needsReset || (control > 2 && control < 0x80)) throw input.damaged("impossible chunk");
      const low = Buffer.from(await input.take(2)).readUInt16BE() + 1;
      if (control < 0x80) {
        window.write(await input.take(low));
        yield* window.last(low);
        continue;
      }
      const bytes = ((control & 0x1f) << 16) + low;
      const length = Buffer.from(await input.take(2)).readUInt16BE() + 1;
      if (control >= 0xc0) {
        needsProperties = false;
        if (!lzma.setProperties((await input.take(1))[0] ?? 0)) throw input.damaged("impossible LZMA properties");
      } else if (needsProperties) throw input.damaged("a chunk without LZMA properties");
      else if (control >= 0xa0) lzma.resetState();
      if (!lzma.decode(await input.take(length), bytes)) throw input.damaged("impossible LZMA data");
      yield* window.last(bytes);
    }
  }
}

/** The fields of a complete header. */
class Fields {
  readonly #bytes: Uint8Array;
  readonly #input: ByteReader;
  #at = 0;

  constructor(bytes: Uint8Array, input: ByteReader) {
    this.#bytes = bytes;
    this.#input = input;
  }

  byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw this.#input.damaged("a block header that is too short");
    this.#at += 1;
    return byte;
  }

  number(): number {
    return variableLength(() => this.byte(), this.#input);
  }

  rest(): Uint8Array {
    return this.#bytes.subarray(this.#at);
  }
}

/** A number with seven bits per byte, lowest first (section 1.2); sizes stay below 2^53. */
export function variableLength(nextByte: () => number, input: ByteReader): number {
  let value = 0;
  for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
    const byte = nextByte();
    value += (byte & 127) * scale;
    if (byte < 128) {
      if (byte === 0 && scale > 1) break;
      return value;
    }
  }
  throw input.damaged("impossible number");
}

export async function expectZeros(input: ByteReader, count: number): Promise<void> {
  if ((await input.take(count)).some(byte => byte !== 0)) throw input.damaged("padding that is not zero");
}
