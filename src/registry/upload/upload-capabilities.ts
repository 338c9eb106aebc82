import { NetworkError, RegistryError } from "../../errors.ts";
import { deferred } from "../../util/promises.ts";
import type { RegistryClient } from "../client/registry-client.ts";
import { type HeaderMap, headerText } from "../http/headers.ts";

/** How a registry takes uploads, as far as this run has found out. */
export interface UploadCapabilities {
  /** False once a whole blob in one PUT was refused for its size. */
  takesWhole: boolean;
  /** False once a PATCH without Content-Range was refused. */
  takesStreams: boolean;
  takesChunks: boolean;
  /** Bytes of a chunk that went well, or that is tried next. */
  chunkBytes: number;
  /** The registry takes no smaller chunk, but for the last one; 0 when it did not say. */
  minChunkBytes: number;
  /** Set once uploads seem to have spoilt each other. */
  isOneAtATime: boolean;
  /** Settles when the upload whose turn it is has ended. */
  turn: Promise<void>;
}

const MAX_BYTES = 8 * 1024 * 1024;
const MIN_BYTES = 1024 * 1024;
/** A chunk is kept in memory until it has been taken. */
const MAX_MIN_CHUNK_BYTES = 64 * 1024 * 1024;

const forms = new WeakMap<RegistryClient, UploadCapabilities>();

/** The same for all uploads of a run to one registry, so that a refusal is met once. */
export function capabilitiesOf(client: RegistryClient): UploadCapabilities {
  const form = forms.get(client) ?? {
    takesWhole: true,
    takesStreams: true,
    takesChunks: true,
    chunkBytes: MAX_BYTES,
    minChunkBytes: 0,
    isOneAtATime: false,
    turn: Promise.resolve(),
  };
  forms.set(client, form);
  return form;
}

export function canShrink(form: UploadCapabilities): boolean {
  return form.chunkBytes > leastOf(form);
}

export function shrinkChunks(form: UploadCapabilities): void {
  form.chunkBytes = Math.max(leastOf(form), Math.floor(form.chunkBytes / 2));
}

function leastOf({ minChunkBytes }: UploadCapabilities): number {
  return Math.max(MIN_BYTES, minChunkBytes);
}

/**
 * Keeps what the answer to the start of an upload says of chunks: OCI-Chunk-Min-Length (distribution specification,
 * "Pushing a blob in chunks"), and OCI-Chunk-Max-Length, which Cloudflare's registry adds.
 */
export function noteChunkLimits(form: UploadCapabilities, headers: HeaderMap): void {
  const least = lengthIn(headers, "oci-chunk-min-length");
  const most = lengthIn(headers, "oci-chunk-max-length");
  if (most !== undefined) form.chunkBytes = Math.min(form.chunkBytes, Math.max(1, most));
  if (least === undefined) return;
  if (least > MAX_MIN_CHUNK_BYTES) form.takesChunks = false;
  else form.minChunkBytes = least;
  form.chunkBytes = Math.max(form.chunkBytes, form.minChunkBytes);
}

/** Bytes of the next chunk out of those that are here; none is left over that is too short to be a chunk. */
export function chunkOf(form: UploadCapabilities, left: Uint8Array): Uint8Array {
  const { chunkBytes, minChunkBytes } = form;
  if (left.length <= chunkBytes) return left;
  if (left.length - chunkBytes >= minChunkBytes) return left.subarray(0, chunkBytes);
  return left.length < 2 * minChunkBytes ? left : left.subarray(0, left.length - minChunkBytes);
}

function lengthIn(headers: HeaderMap, name: string): number | undefined {
  const text = headerText(headers, name);
  return text !== undefined && /^[0-9]{1,12}$/.test(text) ? Number(text) : undefined;
}

/** Runs uploads one after another, once the registry has shown that it needs that (Nexus does). */
export async function inTurn<T>(form: UploadCapabilities, upload: () => Promise<T>): Promise<T> {
  if (!form.isOneAtATime) return await upload();
  const before = form.turn;
  const { promise, resolve } = deferred<void>();
  form.turn = promise;
  await before;
  try {
    return await upload();
  } finally {
    resolve();
  }
}

/** Proxies at the edge of the large clouds end bodies beyond 100 MB without a word. */
const SUSPECT_BYTES = 95 * 1024 * 1024;

/** A blob in one request was refused for its size, or may have been. */
export function isTooLarge(error: unknown, size: number): boolean {
  if (error instanceof RegistryError) return error.status === 413 || error.codes.includes("SIZE_INVALID");
  return error instanceof NetworkError && size > SUSPECT_BYTES;
}
