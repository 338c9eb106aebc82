import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { ByteRange } from "../../content/contracts.ts";
import { deferred } from "../../util/promises.ts";
import { ClientGoneError } from "../content/client-gone-error.ts";
import { DamagedError } from "../content/damaged-error.ts";
import type { OpenBlob } from "../content/served-registry.ts";
import { Refusal } from "../refusal.ts";

/** Part of a blob, or all of it; sending closes the blob. */
export interface BlobBody extends ByteRange {
  readonly blob: OpenBlob;
}

/** What became of an answer. */
export interface SentAnswer {
  /** Bytes of its body that were given to the connection. */
  readonly sentBytes: number;
  /** Whether the connection was cut before its end. */
  readonly isCut: boolean;
  /** Why it was cut, if that is a fault of the server. Damage and files that changed are in the log already. */
  readonly fault?: unknown;
}

/**
 * Sends a blob and ends the response. The next bytes are read while the last ones are sent. If the client is gone, or the
 * blob cannot be read, the connection is cut, because a wrong body must never look complete.
 */
export async function sendBlob({ blob, start, end }: BlobBody, response: ServerResponse): Promise<SentAnswer> {
  const gone = deferred<never>();
  gone.promise.catch(() => undefined);
  const onClose = (): void => gone.reject(new ClientGoneError());
  // A pipelined response has no socket of its own yet; its request has.
  const { socket } = response.req;
  socket.once("close", onClose);
  let sending: Promise<unknown> = Promise.resolve();
  let position = start;
  let cut: unknown;
  try {
    for await (const chunk of blob.chunks({ start, end })) {
      await sending;
      sending = Promise.race([write(response, chunk), gone.promise]);
      sending.catch(() => undefined);
      position += chunk.length;
      // At the end, the memory of the last chunk is reused.
      if (position === end) await sending;
    }
    await sending;
    response.end();
  } catch (error) {
    response.destroy();
    cut = error;
    await closed(socket);
  } finally {
    socket.off("close", onClose);
  }
  return { sentBytes: position - start, isCut: cut !== undefined, fault: faultOf(cut) };
}

function faultOf(error: unknown): unknown {
  const isKnown = error instanceof ClientGoneError || error instanceof DamagedError || error instanceof Refusal;
  return isKnown ? undefined : error;
}

/** Cuts it. Until it is closed, the system may read the memory of the last chunks, which is reused. */
async function closed(socket: Socket): Promise<void> {
  socket.destroy();
  if (socket.closed) return;
  await new Promise<void>(resolve => {
    socket.once("close", () => resolve());
  });
}

async function write(response: ServerResponse, chunk: Uint8Array): Promise<void> {
  const written = deferred<void>();
  response.write(chunk, error => (error ? written.reject(new ClientGoneError({ cause: error })) : written.resolve()));
  await written.promise;
}
