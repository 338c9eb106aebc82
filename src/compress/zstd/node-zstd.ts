import type { Transform } from "node:stream";
import * as zlib from "node:zlib";

interface ZstdOptions {
  readonly params: Readonly<Record<number, number>>;
  readonly chunkSize: number;
}

/** What `node:zlib` has of zstd from Node 22.15 on; the types of Node 20 lack it. */
export interface NodeZstd {
  createZstdCompress(options: ZstdOptions): Transform;
  createZstdDecompress(options: ZstdOptions): Transform;
  readonly constants: {
    readonly ZSTD_c_compressionLevel: number;
    readonly ZSTD_c_checksumFlag: number;
    readonly ZSTD_d_windowLogMax: number;
  };
}

/** Undefined if this runtime has no zstd. */
export const nodeZstd: NodeZstd | undefined = "createZstdCompress" in zlib ? (zlib as unknown as NodeZstd) : undefined;
