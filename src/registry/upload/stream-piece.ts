import { RegistryError } from "../../errors.ts";
import { headerText } from "../http/headers.ts";
import { type ChunkSession, callSession, lost } from "./chunk-session.ts";
import type { ReplayedBody } from "./replayable-body.ts";
import { sessionUrl } from "./upload-session.ts";

/** An interrupted run waits that long for the registry to say what it has. */
const STOP_MS = 700;

/**
 * Sends a piece of a blob in one PATCH without Content-Range, as docker push does. When the run is interrupted the piece
 * ends there, so that what has arrived is acknowledged: distribution drops an upload whose request broke off.
 *
 * @param maxBytes after which the piece ends with the part that reaches it.
 * @returns whether the blob has ended.
 */
export async function streamPiece(session: ChunkSession, body: ReplayedBody, maxBytes: number): Promise<boolean> {
  const { target, what, url, offset } = session;
  const { signal } = target;
  let sent = 0;
  let isComplete = false;
  let isEnded = false;
  async function* piece(): AsyncGenerator<Uint8Array> {
    [sent, isComplete, isEnded] = [0, false, false];
    try {
      // Called again when a 401 makes the client send it anew.
      if (!(await body.seek(offset))) throw lost(session);
      for await (const part of body.parts()) {
        if (sent >= maxBytes) break;
        yield part;
        sent += part.length;
        if (signal?.aborted === true) break;
      }
      isEnded = await body.isAtEnd();
    } catch (error) {
      if (signal?.aborted !== true) throw error;
    }
    isComplete = true;
  }
  const late = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    timer = setTimeout(() => late.abort(signal?.reason), STOP_MS);
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    signal?.throwIfAborted();
    const response = await callSession({ ...target, signal: late.signal }, what, "PATCH", {
      url,
      headers: { "content-type": "application/octet-stream" },
      body: piece,
      accept: [201, 202, 204],
    });
    if (!isComplete) {
      throw new RegistryError(
        `Cannot push ${what} to ${target.repository}: status ${response.status} before the last byte, expected it after`,
        { status: response.status, transient: true },
      );
    }
    if (headerText(response.headers, "location") !== undefined) session.url = sessionUrl(target, response);
    session.offset = offset + sent;
    session.isResumed = false;
    await session.record?.save(session);
  } finally {
    signal?.removeEventListener("abort", onAbort);
    clearTimeout(timer);
  }
  signal?.throwIfAborted();
  return isEnded;
}
