// Blobs in memory that come in parts of any size, break, or stall.
import { Readable } from "node:stream";
import type { BlobSource } from "../../src/content/contracts.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { sha256 } from "./memory-registry.ts";

/** Bytes that look random and are the same every time. */
export function noise(bytes: number, seed = 1): Uint8Array {
  const result = new Uint8Array(bytes);
  let state = seed >>> 0;
  for (let index = 0; index < bytes; index += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    result[index] = state >>> 24;
  }
  return result;
}

export function sha256Of(bytes: Uint8Array): Digest {
  return sha256(bytes);
}

export interface PartsOptions {
  /** The stream breaks with it instead of ending. */
  readonly breaksWith?: Error;
  /** The stream neither ends nor breaks after its last part. */
  readonly stalls?: boolean;
}

/** A blob that can only be opened, and comes in parts of `partBytes`. */
export function partsBlob(bytes: Uint8Array, partBytes: number, options: PartsOptions = {}): BlobSource {
  return {
    size: bytes.length,
    open: async () => {
      let position = 0;
      return new Readable({
        read() {
          if (position < bytes.length) {
            const start = position;
            position = Math.min(bytes.length, position + partBytes);
            this.push(bytes.slice(start, position));
          } else if (options.breaksWith !== undefined) this.destroy(options.breaksWith);
          else if (options.stalls !== true) this.push(null);
        },
      });
    },
  };
}

/** Everything in one piece; parts are copied, since their memory is used again. */
export async function collect(parts: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const kept: Uint8Array[] = [];
  for await (const part of parts) kept.push(part.slice());
  return Buffer.concat(kept);
}

/** One turn of the event loop; enough turns let everything happen that needs no outside. */
export async function turns(count = 1): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise(resolve => setImmediate(resolve));
}
