import type { FileHandle } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { createBlobHash } from "../content/blob-hash.ts";
import type { ByteRange } from "../content/contracts.ts";
import { type Digest, digestAlgorithm } from "../oci/digest.ts";
import { deferred } from "../util/promises.ts";

const READ_BYTES = 512 * 1024;
// Two buffers each for 16 downloads at once; more downloads allocate their own.
const MAX_SPARE = 32;
const spare: Buffer[] = [];

/** Bytes of an open file; sending closes the handle. */
export interface FileSlice extends ByteRange {
  readonly handle: FileHandle;
  /** Of the slice, if it is a whole blob. */
  readonly digest: Digest | undefined;
  /** Is called with what was read, or with the error, if the file is not what it was. */
  readonly onDamage: (found: unknown) => Promise<void>;
}

/**
 * Sends a slice of a file and ends the response. Reads the next bytes while the last ones are sent and hashed, with two
 * buffers. The last bytes are sent only if the digest is right.
 *
 * @throws Error if the client is gone, or the file is damaged; then the connection is cut, because a wrong body must never
 *   look complete.
 */
export async function sendSlice(slice: FileSlice, response: ServerResponse): Promise<void> {
  const { start, end, digest } = slice;
  const hash = digest === undefined ? undefined : createBlobHash(digestAlgorithm(digest), end - start);
  const gone = deferred<never>();
  gone.promise.catch(() => undefined);
  const onClose = (): void => gone.reject(new Error("the client closed the connection"));
  // A pipelined response has no socket of its own yet; its request has.
  const { socket } = response.req;
  socket.once("close", onClose);
  const buffers = [takeBuffer(), takeBuffer()] as const;
  let sending: Promise<unknown> = Promise.resolve();
  try {
    for (let position = start, turn = 0; position < end; turn ^= 1) {
      const bytes = await read(slice, position, turn === 0 ? buffers[0] : buffers[1]);
      position += bytes.length;
      const hashed = hash?.update(bytes);
      if (hash !== undefined && position === end) await check(slice, await hash.digest());
      await sending;
      sending = Promise.all([hashed, Promise.race([write(response, bytes), gone.promise])]);
      sending.catch(() => undefined);
    }
    await sending;
    response.end();
    for (const buffer of buffers) if (spare.length < MAX_SPARE) spare.push(buffer);
  } catch (error) {
    // The socket may still use the buffers, so they are not returned to the pool.
    response.destroy();
    await hash?.drop();
    throw error;
  } finally {
    socket.off("close", onClose);
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

async function write(response: ServerResponse, chunk: Uint8Array): Promise<void> {
  const written = deferred<void>();
  response.write(chunk, error => (error ? written.reject(error) : written.resolve()));
  await written.promise;
}
