import type { FileHandle } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import type { ByteRange } from "../content/contracts.ts";
import { deferred } from "../util/promises.ts";

const READ_BYTES = 512 * 1024;
// Two buffers each for 16 downloads at once; more downloads allocate their own.
const MAX_SPARE = 32;
const spare: Buffer[] = [];

/**
 * Sends a slice of a file and ends the response. Reads the next bytes while the last ones are sent, with two buffers.
 *
 * @throws Error if the client is gone, or the file ends early; then the connection is cut, because a wrong body must never
 *   look complete.
 */
export async function sendSlice(
  { handle, start, end }: ByteRange & { readonly handle: FileHandle },
  response: ServerResponse,
): Promise<void> {
  const gone = deferred<never>();
  gone.promise.catch(() => undefined);
  const onClose = (): void => gone.reject(new Error("the client closed the connection"));
  // A pipelined response has no socket of its own yet; its request has.
  const { socket } = response.req;
  socket.once("close", onClose);
  const buffers = [takeBuffer(), takeBuffer()] as const;
  let sending: Promise<void> = Promise.resolve();
  try {
    for (let position = start, turn = 0; position < end; turn ^= 1) {
      const buffer = turn === 0 ? buffers[0] : buffers[1];
      const { bytesRead } = await handle.read(buffer, 0, Math.min(READ_BYTES, end - position), position);
      if (bytesRead === 0) throw new Error(`file ends at byte ${position}, expected ${end}`);
      await sending;
      position += bytesRead;
      sending = Promise.race([write(response, buffer.subarray(0, bytesRead)), gone.promise]);
      sending.catch(() => undefined);
    }
    await sending;
    response.end();
    for (const buffer of buffers) if (spare.length < MAX_SPARE) spare.push(buffer);
  } catch (error) {
    // The socket may still use the buffers, so they are not returned to the pool.
    response.destroy();
    throw error;
  } finally {
    socket.off("close", onClose);
  }
}

function takeBuffer(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(READ_BYTES);
}

async function write(response: ServerResponse, chunk: Uint8Array): Promise<void> {
  const written = deferred<void>();
  response.write(chunk, error => (error ? written.reject(error) : written.resolve()));
  await written.promise;
}
