import type { ReplayableBody } from "./replayable-body.ts";
import { uploadChunked } from "./upload-chunked.ts";
import type { UploadSession } from "./upload-session.ts";

/** How often an upload starts over after a broken request of which the registry kept nothing. */
const MAX_LOSSES = 4;
/** How long an interrupted run waits for the registry to acknowledge what has arrived. */
const STOP_MS = 700;

/**
 * Sends what a session does not have in PATCH requests without Content-Range, as docker push does, and closes it. The
 * rest of an interrupted stream goes in chunks, where the registry accepts only a first stream.
 */
export async function uploadStreamed(session: UploadSession, body: ReplayableBody): Promise<void> {
  try {
    if (await sendStreams(session, body)) return await session.close(body.descriptor().digest);
  } catch (error) {
    await session.leave(error);
    throw error;
  }
  await uploadChunked(session.context, body, session);
}

/** @returns false when the rest must go in chunks. */
async function sendStreams(session: UploadSession, body: ReplayableBody): Promise<boolean> {
  const { repository, what, record, signal } = session.context;
  let losses = 0;
  for (;;) {
    const state = await repository.retrying(what, signal, async attempt => {
      if (attempt > 1 && (record === undefined || !(await session.findKept()))) {
        losses += 1;
        if (record !== undefined && losses > MAX_LOSSES) throw session.lost();
        await session.cancel();
        await session.restart();
      }
      if (session.offset > 0 && !session.appends) return "rest";
      const maxBytes = session.appends ? record?.pieceBytes : undefined;
      return (await sendPiece(session, body, maxBytes)) ? "ended" : "piece";
    });
    if (state !== "piece") return state === "ended";
  }
}

/**
 * Sends a piece of a blob in one PATCH. When the run is interrupted, the piece ends early, so that the registry
 * acknowledges what has arrived: distribution drops an upload whose request breaks off.
 *
 * @param maxBytes after which the piece ends, with the part that reaches it.
 * @returns whether the blob has ended.
 */
async function sendPiece(
  session: UploadSession,
  body: ReplayableBody,
  maxBytes: number = Number.POSITIVE_INFINITY,
): Promise<boolean> {
  const { record, signal } = session.context;
  const { offset } = session;
  let sentBytes = 0;
  let isEnded = false;
  async function* piece(): AsyncGenerator<Uint8Array> {
    [sentBytes, isEnded] = [0, false];
    try {
      if (!(await body.seek(offset))) throw session.lost();
      for await (const part of body.parts()) {
        if (sentBytes >= maxBytes) break;
        yield part;
        sentBytes += part.length;
        if (signal?.aborted === true) break;
      }
      isEnded = await body.isAtEnd();
    } catch (error) {
      // The source stops as well when the run is interrupted.
      if (signal?.aborted !== true) throw error;
    }
  }
  signal?.throwIfAborted();
  await withGrace(record === undefined ? 0 : STOP_MS, signal, async late => await session.sendStream(piece, late));
  await session.advance(offset + sentBytes);
  signal?.throwIfAborted();
  return isEnded;
}

/** Runs `task` with a signal that aborts `graceMs` after the given one. */
async function withGrace(
  graceMs: number,
  signal: AbortSignal | undefined,
  task: (late: AbortSignal | undefined) => Promise<void>,
): Promise<void> {
  if (graceMs === 0 || signal === undefined) return await task(signal);
  const late = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    timer = setTimeout(() => late.abort(signal.reason), graceMs);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await task(late.signal);
  } finally {
    signal.removeEventListener("abort", onAbort);
    clearTimeout(timer);
  }
}
