import { availableParallelism } from "node:os";
import { ChunkPool } from "./chunk-pool.ts";

/** Bytes per chunk; also the gzip block, so that a slice of a file is compressed in the buffer it was read into. */
export const CHUNK_BYTES: number = 1024 * 1024;

/** Chunks that one blob may use at once: enough to keep every core busy with a single big layer. */
export const CHUNKS_PER_BLOB: number = Math.max(4, Math.min(availableParallelism(), 8));

/** One pool for the process: it bounds memory, however many copies run. */
export const sharedChunks: ChunkPool = new ChunkPool(6 * CHUNKS_PER_BLOB, CHUNK_BYTES);
