import { RegistryError } from "../../errors.ts";
import type { ReplayableBody } from "./replayable-body.ts";
import { asTransient, isSessionFault } from "./session-fault.ts";
import { canShrink, capabilitiesOf, chunkOf, MAX_RESTARTS, shrinkChunks } from "./upload-capabilities.ts";
import { type UploadContext, UploadSession } from "./upload-session.ts";

/** Bytes kept in memory until the registry has taken them; twice as many while the next ones are gathered. */
export const PART_BYTES: number = 8 * 1024 * 1024;

interface Part {
  readonly part: Uint8Array;
  readonly isLast: boolean;
}

/**
 * Uploads bytes that cannot be read again, or that a registry does not take in one request: PATCH requests of a chunk
 * each, sent again from memory until the registry has it (distribution specification, "Pushing a blob in chunks"). Where
 * chunks are refused, the rest goes in one streamed PATCH, as docker push does it.
 *
 * @param resumed a session that has the first bytes of `body`.
 * @throws RegistryError when the registry loses what it has taken already.
 */
export async function uploadChunked(
  context: UploadContext,
  body: ReplayableBody,
  resumed?: UploadSession,
): Promise<void> {
  const capabilities = capabilitiesOf(context.repository.client);
  let session = resumed;
  let sending: Promise<void> = Promise.resolve();
  let isFirst = resumed === undefined;
  let parts: AsyncGenerator<Part, undefined> | undefined;
  try {
    const isReached = await body.seek(resumed?.offset ?? 0);
    if (resumed !== undefined && !isReached) throw resumed.lost();
    parts = partsOf(body.parts());
    for (let next = await parts.next(); !next.done; next = await parts.next()) {
      session ??= await UploadSession.open(context);
      await sending;
      const part = await longEnough(next.value, parts, capabilities.minChunkBytes);
      if (isFirst) {
        isFirst = false;
        if (await sendFirst(session, part)) continue;
        await sendRest(session, part, parts);
        break;
      }
      sending = sendPart(session, part);
      // Awaited before the next part, or at the end.
      sending.catch(() => undefined);
    }
    await sending;
    await session?.close(body.descriptor().digest);
  } catch (error) {
    await sending.catch(() => undefined);
    await session?.leave(error);
    throw error;
  } finally {
    await parts?.return(undefined);
  }
}

/**
 * Finds out how large a chunk may be. A refused one may have spoilt its session, so each attempt gets a new one.
 *
 * @returns false when this registry takes no chunks of any size.
 */
async function sendFirst(session: UploadSession, part: Uint8Array): Promise<boolean> {
  const { repository, what, signal } = session.context;
  const capabilities = capabilitiesOf(repository.client);
  for (let losses = 0; capabilities.takesChunks; ) {
    try {
      await sendPart(session, part);
      return true;
    } catch (error) {
      if (!isRefusal(error) || session.offset > 0) throw error;
      // A registry that lost the session says nothing about the size.
      const isLost = error.status === 404;
      if (isLost && losses === MAX_RESTARTS) throw error;
      if (isLost) losses += 1;
      else if (canShrink(capabilities)) shrinkChunks(capabilities);
      else capabilities.takesChunks = false;
      await session.cancel();
      await repository.retrying(what, signal, async () => await session.restart());
    }
  }
  return false;
}

async function sendPart(session: UploadSession, part: Uint8Array): Promise<void> {
  const { repository, what, signal } = session.context;
  const capabilities = capabilitiesOf(repository.client);
  const end = session.offset + part.length;
  await repository.retrying(what, signal, async attempt => {
    if (attempt > 1) await findOffset(session, end);
    while (session.offset < end) {
      const left = part.subarray(part.length - (end - session.offset));
      try {
        await session.sendChunk(chunkOf(capabilities, left));
      } catch (error) {
        if (!isSessionFault(error) || session.offset === 0) throw error;
        if (error.status !== 416 || session.isResumed) throw session.lost(error);
        // The registry and this side disagree on what has arrived: ask, and resume from there.
        throw asTransient(error);
      }
    }
  });
}

/** Asks how much of a part has arrived. @param end of the part. */
async function findOffset(session: UploadSession, end: number): Promise<void> {
  const { offset: found = 0, refusal } = await session.askOffset();
  if (refusal === undefined) {
    if (found < session.offset || found > end) throw session.lost();
    session.offset = found;
    return;
  }
  const isNoAnswer = refusal.status === 405 || refusal.status === 400 || isSessionFault(refusal);
  if (!isNoAnswer) throw refusal;
  if (session.offset === 0) return await session.restart();
  if (refusal.codes.includes("BLOB_UPLOAD_UNKNOWN")) throw session.lost(refusal);
  // Some never say. The failed chunk probably did not arrive; if it did, sending it again is refused.
}

/** What is still in memory, and then whatever comes; it cannot be sent again. */
async function sendRest(
  session: UploadSession,
  first: Uint8Array,
  parts: AsyncGenerator<Part, undefined>,
): Promise<void> {
  let sentBytes = 0;
  let isStarted = false;
  await session.sendStream(async function* rest() {
    if (isStarted) throw session.lost();
    isStarted = true;
    yield first;
    sentBytes += first.length;
    for (let next = await parts.next(); !next.done; next = await parts.next()) {
      yield next.value.part;
      sentBytes += next.value.part.length;
    }
  });
  await session.advance(session.offset + sentBytes);
}

/** The registry refuses the form of the request; rights and rate limits are other matters. */
function isRefusal(error: unknown): error is RegistryError {
  return (
    error instanceof RegistryError && !error.transient && [400, 404, 405, 411, 413, 415, 416].includes(error.status)
  );
}

/**
 * Parts of equal length, except the last. They alternate between two buffers: one is filled while the other is sent,
 * which must be complete when the next part is requested.
 */
async function* partsOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Part, undefined> {
  let buffer: Uint8Array = Buffer.allocUnsafeSlow(PART_BYTES);
  let other: Uint8Array | undefined;
  let filled = 0;
  for await (const piece of body) {
    for (let taken = 0; taken < piece.length; ) {
      // Held back until more comes, because the last part must be known as such.
      if (filled === buffer.length) {
        yield { part: buffer, isLast: false };
        [buffer, other] = [other ?? Buffer.allocUnsafeSlow(PART_BYTES), buffer];
        filled = 0;
      }
      const step = Math.min(buffer.length - filled, piece.length - taken);
      buffer.set(piece.subarray(taken, taken + step), filled);
      filled += step;
      taken += step;
    }
  }
  yield { part: buffer.subarray(0, filled), isLast: true };
  return undefined;
}

/** Joins parts until they make the smallest chunk that the registry takes. */
async function longEnough(
  { part, isLast }: Part,
  parts: AsyncGenerator<Part, undefined>,
  minBytes: number,
): Promise<Uint8Array> {
  if (isLast || part.length >= minBytes) return part;
  const pieces = [Uint8Array.from(part)];
  for (let bytes = part.length; bytes < minBytes; ) {
    const next = await parts.next();
    if (next.done) break;
    pieces.push(Uint8Array.from(next.value.part));
    bytes += next.value.part.length;
  }
  return Buffer.concat(pieces);
}
