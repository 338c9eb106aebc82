import { NetworkError, RegistryError } from "../../errors.ts";
import { deferred } from "../../util/promises.ts";
import type { RegistryClient } from "../client/registry-client.ts";
import { type HeaderMap, headerText } from "../http/headers.ts";

/** How a registry takes uploads, as far as this run knows. */
export interface UploadCapabilities {
  /** False once a whole blob in one request was refused for its size. */
  takesWhole: boolean;
  /** False once a PATCH without Content-Range was refused. */
  takesStreams: boolean;
  takesChunks: boolean;
  /** Bytes of a chunk that succeeded, or that is tried next. */
  chunkBytes: number;
  /** The registry takes no smaller chunk, except the last one; 0 when it does not say. */
  minChunkBytes: number;
  /** True once uploads seem to have spoilt each other. */
  isOneAtATime: boolean;
  /** Settles when the upload whose turn it is has ended. */
  turn: Promise<void>;
}

const MAX_CHUNK_BYTES = 8 * 1024 * 1024;
const MIN_CHUNK_BYTES = 1024 * 1024;
/** A chunk is kept in memory until it has been taken. */
const MAX_MIN_CHUNK_BYTES = 64 * 1024 * 1024;

/** Restarts after a lost session. Registries that lose sessions (several hosts without shared storage) do so repeatedly. */
export const MAX_RESTARTS = 2;

const known = new WeakMap<RegistryClient, UploadCapabilities>();

/** Shared by all uploads of a run to one registry, so that each refusal is met once. */
export function capabilitiesOf(client: RegistryClient): UploadCapabilities {
  const capabilities = known.get(client) ?? {
    takesWhole: true,
    takesStreams: true,
    takesChunks: true,
    chunkBytes: MAX_CHUNK_BYTES,
    minChunkBytes: 0,
    isOneAtATime: false,
    turn: Promise.resolve(),
  };
  known.set(client, capabilities);
  return capabilities;
}

export function canShrink(capabilities: UploadCapabilities): boolean {
  return capabilities.chunkBytes > minChunkOf(capabilities);
}

export function shrinkChunks(capabilities: UploadCapabilities): void {
  capabilities.chunkBytes = Math.max(minChunkOf(capabilities), Math.floor(capabilities.chunkBytes / 2));
}

function minChunkOf({ minChunkBytes }: UploadCapabilities): number {
  return Math.max(MIN_CHUNK_BYTES, minChunkBytes);
}

/**
 * Reads the chunk limits in the answer to the start of an upload: OCI-Chunk-Min-Length (distribution specification,
 * "Pushing a blob in chunks"), and OCI-Chunk-Max-Length, which Cloudflare's registry adds.
 */
export function noteChunkLimits(capabilities: UploadCapabilities, headers: HeaderMap): void {
  const min = lengthIn(headers, "oci-chunk-min-length");
  const max = lengthIn(headers, "oci-chunk-max-length");
  if (max !== undefined) capabilities.chunkBytes = Math.min(capabilities.chunkBytes, Math.max(1, max));
  if (min === undefined) return;
  if (min > MAX_MIN_CHUNK_BYTES) capabilities.takesChunks = false;
  else capabilities.minChunkBytes = min;
  capabilities.chunkBytes = Math.max(capabilities.chunkBytes, capabilities.minChunkBytes);
}

/** The next chunk of the bytes in memory. The rest is never too short to be a chunk. */
export function chunkOf(capabilities: UploadCapabilities, left: Uint8Array): Uint8Array {
  const { chunkBytes, minChunkBytes } = capabilities;
  if (left.length <= chunkBytes) return left;
  if (left.length - chunkBytes >= minChunkBytes) return left.subarray(0, chunkBytes);
  return left.length < 2 * minChunkBytes ? left : left.subarray(0, left.length - minChunkBytes);
}

function lengthIn(headers: HeaderMap, name: string): number | undefined {
  const text = headerText(headers, name);
  return text !== undefined && /^[0-9]{1,12}$/.test(text) ? Number(text) : undefined;
}

/** Runs uploads one after another, once the registry has shown that it needs this (Nexus does). */
export async function inTurn<T>(capabilities: UploadCapabilities, upload: () => Promise<T>): Promise<T> {
  if (!capabilities.isOneAtATime) return await upload();
  const before = capabilities.turn;
  const { promise, resolve } = deferred<void>();
  capabilities.turn = promise;
  await before;
  try {
    return await upload();
  } finally {
    resolve();
  }
}

/** Edge proxies of the large clouds cut bodies above 100 MB without an answer. */
const MAX_EDGE_BYTES = 95 * 1024 * 1024;

/** True when a blob in one request was, or may have been, refused for its size. */
export function isTooLarge(error: unknown, size: number): boolean {
  if (error instanceof RegistryError) return error.status === 413 || error.codes.includes("SIZE_INVALID");
  return error instanceof NetworkError && size > MAX_EDGE_BYTES;
}
