import type { Duplex } from "node:stream";
import { nodeZstd } from "./node-zstd.ts";
import { ZstdDamage } from "./zstd-bits.ts";
import type { ZstdFrameDecoder, ZstdFrameHeader } from "./zstd-frame.ts";

/** Decodes a frame with Node's zstd, block by block, because Node accepts a truncated frame. */
export class ZstdNativeFrame implements ZstdFrameDecoder {
  #stream: Duplex | undefined;
  #parts: Uint8Array[] = [];
  #error: unknown;
  #onError: (error: unknown) => void = () => undefined;

  begin({ bytes }: ZstdFrameHeader): void {
    if (nodeZstd === undefined) throw new TypeError("this Node has no zstd");
    const stream = nodeZstd.createZstdDecompress({
      params: { [nodeZstd.constants.ZSTD_d_windowLogMax]: 27 },
      chunkSize: 256 * 1024,
    });
    stream.on("data", (part: Uint8Array) => this.#parts.push(part));
    stream.on("error", error => this.#fail(error));
    this.#stream = stream;
    stream.write(bytes);
  }

  async block(_kind: number, _count: number, block: Uint8Array): Promise<readonly Uint8Array[]> {
    await this.#done((stream, callback) => stream.write(block, callback));
    return this.#takeParts();
  }

  async end(checksum: Uint8Array): Promise<readonly Uint8Array[]> {
    await this.#done((stream, callback) => {
      stream.once("end", callback);
      stream.end(checksum);
    });
    this.close();
    return this.#takeParts();
  }

  close(): void {
    this.#stream?.destroy();
    this.#stream = undefined;
  }

  async #done(start: (stream: Duplex, callback: (error?: Error | null) => void) => void): Promise<void> {
    const stream = this.#stream;
    if (stream === undefined) throw new TypeError("no frame has begun");
    await new Promise<void>((resolve, reject) => {
      this.#onError = reject;
      if (this.#error === undefined) start(stream, error => (error == null ? resolve() : this.#fail(error)));
      else reject(this.#error);
    });
  }

  #fail(error: Error): void {
    this.#error ??= new ZstdDamage(`zstd reports ${error.message}`);
    this.#onError(this.#error);
  }

  #takeParts(): readonly Uint8Array[] {
    const parts = this.#parts;
    this.#parts = [];
    return parts;
  }
}
