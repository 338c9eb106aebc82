import { Xxhash64 } from "./xxhash64.ts";
import { ZstdDamage } from "./zstd-bits.ts";
import type { ZstdFrameDecoder, ZstdFrameHeader } from "./zstd-frame.ts";
import { ZstdLiterals } from "./zstd-literals.ts";
import { ZstdSequences } from "./zstd-sequences.ts";
import { ZSTD_BLOCK_BYTES, ZstdWindow } from "./zstd-window.ts";

/**
 * Decodes frames on this thread: if Node has no zstd, and for frames that are too short for another thread. When Node
 * 22.15 is the minimum, this file can go, and with it xxhash64, zstd-fse, zstd-huffman, zstd-literals, zstd-sequences and
 * most of zstd-bits and zstd-window.
 */
export class ZstdOwnFrame implements ZstdFrameDecoder {
  readonly #window = new ZstdWindow();
  readonly #literals = new ZstdLiterals();
  readonly #sequences = new ZstdSequences();
  #hash: Xxhash64 | undefined;

  begin({ windowBytes, hasChecksum }: ZstdFrameHeader): void {
    this.#window.begin(windowBytes);
    this.#literals.begin();
    this.#sequences.begin();
    this.#hash = hasChecksum ? new Xxhash64() : undefined;
  }

  async block(kind: number, count: number, block: Uint8Array): Promise<readonly Uint8Array[]> {
    const window = this.#window;
    window.reserve();
    const start = window.head;
    const content = block.subarray(3);
    if (kind === 2) {
      const { literals, bytes } = this.#literals.read(content);
      this.#sequences.run(content.subarray(bytes), literals, window);
    } else {
      if (kind === 0) window.buffer.set(content, start);
      else window.buffer.fill(content[0] as number, start, start + count);
      window.head += count;
    }
    if (window.head - start > ZSTD_BLOCK_BYTES) throw new ZstdDamage("a block longer than allowed");
    const part = window.buffer.slice(start, window.head);
    this.#hash?.update(part);
    return [part];
  }

  async end(checksum: Uint8Array): Promise<readonly Uint8Array[]> {
    if (this.#hash !== undefined && Buffer.from(checksum).readUInt32LE() !== this.#hash.lowHalf()) {
      throw new ZstdDamage("wrong checksum of a frame");
    }
    return [];
  }

  close(): void {
    // Only memory is used, which needs no release.
  }
}
