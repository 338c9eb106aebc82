import { startDeadline } from "../../util/time/deadline.ts";

/** To read more of an unwanted body costs more than a new connection. */
const DUMP_BYTES = 256 * 1024;
const DUMP_MS = 10_000;

/** Reads the rest of an unwanted body, whose errors are unwanted, too. @param destroy ends a body that takes too long. */
export async function dumpBody(parts: AsyncIterable<Uint8Array>, destroy: (reason: Error) => void): Promise<void> {
  const stop = startDeadline(DUMP_MS, () => destroy(new Error("the rest of the body takes too long")));
  let left = DUMP_BYTES;
  try {
    for await (const part of parts) {
      left -= part.length;
      if (left < 0) break;
    }
  } catch {
    // Of an unwanted body.
  } finally {
    stop();
  }
}
