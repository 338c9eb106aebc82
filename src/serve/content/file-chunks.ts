import type { FileHandle } from "node:fs/promises";
import { createBlobHash } from "../../content/blob-hash.ts";
import type { ByteRange } from "../../content/contracts.ts";
import { type Digest, digestAlgorithm } from "../../oci/digest.ts";

const READ_BYTES = 512 * 1024;
// Two buffers each for 16 downloads at once; more downloads allocate their own.
const MAX_SPARE = 32;
const spare: Buffer[] = [];

/** Bytes of an open file. */
export interface FileSlice extends ByteRange {
  readonly handle: FileHandle;
  /** Of the slice, if it is a whole blob. */
  readonly digest: Digest | undefined;
  /** Is called with what was read, or with the error, if the file is not what it was. */
  readonly onDamage: (found: unknown) => Promise<void>;
}

/**
 * Reads a slice of a file, with two buffers: a chunk is valid until the one after the next is requested. The last one is
 * given only if the digest is right.
 *
 * @throws Error if the file is damaged.
 */
export async function* fileChunks(slice: FileSlice): AsyncGenerator<Uint8Array, void> {
  const { start, end, digest } = slice;
  const hash = digest === undefined ? undefined : createBlobHash(digestAlgorithm(digest), end - start);
  const buffers = [takeBuffer(), takeBuffer()] as const;
  let isDone = false;
  let hashed: Promise<void> | undefined;
  try {
    for (let position = start, turn = 0; position < end; turn ^= 1) {
      const bytes = await read(slice, position, turn === 0 ? buffers[0] : buffers[1]);
      position += bytes.length;
      await hashed;
      hashed = hash?.update(bytes);
      if (hash !== undefined && position === end) await check(slice, await hash.digest());
      yield bytes;
    }
    isDone = true;
  } finally {
    // The socket may still use the buffers, so those of a broken download are not returned to the pool.
    if (isDone) for (const buffer of buffers) if (spare.length < MAX_SPARE) spare.push(buffer);
    if (!isDone) await hash?.drop();
  }
}

async function read({ handle, end, onDamage }: FileSlice, position: number, into: Buffer): Promise<Buffer> {
  let found: unknown = `no byte ${position}`;
  try {
    const { bytesRead } = await handle.read(into, 0, Math.min(READ_BYTES, end - position), position);
    if (bytesRead > 0) return into.subarray(0, bytesRead);
  } catch (error) {
    found = error;
  }
  await onDamage(found);
  throw new Error(`cannot read byte ${position} of the file`);
}

async function check({ digest, onDamage }: FileSlice, found: Digest): Promise<void> {
  if (found === digest) return;
  await onDamage(found);
  throw new Error(`the file is ${found}`);
}

function takeBuffer(): Buffer {
  // Shared, because the hash may run in another thread.
  return spare.pop() ?? Buffer.from(new SharedArrayBuffer(READ_BYTES));
}
