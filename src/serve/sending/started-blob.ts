import type { Socket } from "node:net";
import type { ByteRange } from "../../content/contracts.ts";
import { ClientGoneError } from "../content/client-gone-error.ts";
import { DamagedError } from "../content/damaged-error.ts";
import type { OpenBlob } from "../content/served-registry.ts";
import { Refusal } from "../refusal.ts";

/**
 * Reads the first chunk: what is wrong with it can still be answered with a status. Checking may take long; it ends with the
 * client's connection.
 *
 * @returns the same blob, whose `chunks` are those of `range`. The caller closes it.
 * @throws Refusal 500 for a damaged blob; ClientGoneError
 */
export async function startedBlob(blob: OpenBlob, range: ByteRange, socket: Socket): Promise<OpenBlob> {
  const gone = new AbortController();
  const onClose = (): void => gone.abort(new ClientGoneError());
  socket.once("close", onClose);
  const chunks = blob.chunks(range, gone.signal);
  async function* rest(first: IteratorResult<Uint8Array, void>): AsyncGenerator<Uint8Array, void> {
    if (first.done === true) return;
    yield first.value;
    yield* chunks;
  }
  try {
    if (socket.destroyed) onClose();
    const first = await chunks.next();
    return {
      ...blob,
      chunks: () => rest(first),
      async close() {
        socket.off("close", onClose);
        await chunks.return();
        await blob.close();
      },
    };
  } catch (error) {
    socket.off("close", onClose);
    if (error instanceof DamagedError)
      throw new Refusal(500, "UNKNOWN", error.message, { detail: { reason: "damage" } });
    throw error;
  }
}
