import { RegistryError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { closeUpload } from "./close-upload.ts";
import { headerText } from "./headers.ts";
import type { RegistryClient } from "./registry-client.ts";
import type { TransportResponse } from "./transport.ts";
import { canShrink, shrinkChunks, uploadFormOf } from "./upload-form.ts";
import {
  cancelUpload,
  isSessionFault,
  MOST_RESTARTS,
  sessionUrl,
  startUpload,
  type UploadTarget,
} from "./upload-session.ts";

/** Bytes that wait in memory until the registry has taken them; twice as many while the next ones are gathered. */
export const PART_BYTES: number = 8 * 1024 * 1024;

interface Session {
  readonly target: UploadTarget;
  readonly what: string;
  url: URL;
  /** Bytes that the registry has for sure. */
  offset: number;
}

export interface ChunkedUpload {
  /** As messages name it. */
  readonly what: string;
  /** Read once. Its memory may be used again when the next piece is asked for. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Asked when `body` has ended. */
  readonly descriptor: () => Descriptor;
  /** Takes what fits one part, whole: it can be sent as any other blob. Without it that goes as a chunk, too. */
  readonly putSmall?: ((descriptor: Descriptor, bytes: Uint8Array) => Promise<void>) | undefined;
}

/**
 * Uploads bytes that cannot be read again, or that a registry does not take in one request: PATCH requests of a chunk
 * each, sent anew from memory until the registry has it (distribution specification, "Pushing a blob in chunks"). Where
 * chunks are refused, the rest goes in one streamed PATCH, as docker push does it.
 *
 * @throws RegistryError when the registry loses what it has taken already.
 */
export async function uploadChunked(target: UploadTarget, upload: ChunkedUpload): Promise<void> {
  const { what, descriptor, putSmall } = upload;
  const parts = partsOf(upload.body);
  let session: Session | undefined;
  let sending: Promise<void> = Promise.resolve();
  try {
    for (let next = await parts.next(); !next.done; next = await parts.next()) {
      const { part, isLast } = next.value;
      await sending;
      if (isLast && session === undefined && putSmall !== undefined) {
        await putSmall(descriptor(), part);
        return;
      }
      if (session === undefined) {
        session = await openSession(target, what);
        if (!(await sendFirst(session, part))) {
          await streamRest(session, part, parts);
          break;
        }
      } else {
        sending = sendPart(session, part);
        // Awaited before the next part, or at the end.
        sending.catch(() => undefined);
      }
    }
    await sending;
    if (session === undefined) return;
    await closeSession(session, descriptor());
  } catch (error) {
    await sending.catch(() => undefined);
    if (session !== undefined) await cancelUpload(target, session.url);
    throw error;
  } finally {
    await parts.return(undefined);
  }
}

async function closeSession(session: Session, { digest }: Descriptor): Promise<void> {
  const { target, what, url } = session;
  try {
    await closeUpload(target, what, url, digest, Number.POSITIVE_INFINITY);
  } catch (error) {
    throw isSessionFault(error) ? lost(session, error) : error;
  }
}

interface Part {
  readonly part: Uint8Array;
  readonly isLast: boolean;
}

/**
 * Parts of equal length, but for the last. They take turns in two buffers: one is filled while the other is being sent,
 * and must have been when the next part is asked for.
 */
async function* partsOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Part, undefined> {
  let buffer: Uint8Array = Buffer.allocUnsafeSlow(PART_BYTES);
  let other: Uint8Array | undefined;
  let filled = 0;
  for await (const piece of body) {
    for (let taken = 0; taken < piece.length; ) {
      // Kept back until more comes: the last part must be known as such.
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

async function openSession(target: UploadTarget, what: string): Promise<Session> {
  const url = await target.client.retrying(what, target.signal, async () => await startUpload(target, what));
  return { target, what, url, offset: 0 };
}

/**
 * Finds out how large a chunk may be. A refused one may have spoilt its session, so each try gets its own.
 *
 * @returns false when this registry takes no chunks of any size.
 */
async function sendFirst(session: Session, part: Uint8Array): Promise<boolean> {
  const { target, what } = session;
  const form = uploadFormOf(target.client);
  for (let losses = 0; form.takesChunks; ) {
    try {
      await sendPart(session, part);
      return true;
    } catch (error) {
      if (!isRefusal(error) || session.offset > 0) throw error;
      // A registry that lost the session says nothing about the size.
      const isLost = error.status === 404;
      if (isLost && losses === MOST_RESTARTS) throw error;
      if (isLost) losses += 1;
      else if (canShrink(form)) shrinkChunks(form);
      else form.takesChunks = false;
      await cancelUpload(target, session.url);
      Object.assign(session, await openSession(target, what));
    }
  }
  return false;
}

/** What is in memory still, and then whatever comes: not to be had again when it fails. */
async function streamRest(session: Session, first: Uint8Array, parts: AsyncGenerator<Part, undefined>): Promise<void> {
  const { target, what, url } = session;
  let isStarted = false;
  async function* rest(): AsyncGenerator<Uint8Array> {
    if (isStarted) throw lost(session);
    isStarted = true;
    yield first;
    for (let next = await parts.next(); !next.done; next = await parts.next()) yield next.value.part;
  }
  const response = await call(target, what, "PATCH", {
    url,
    headers: { "content-type": "application/octet-stream" },
    body: rest,
    accept: [201, 202, 204],
  });
  if (headerText(response.headers, "location") !== undefined) session.url = sessionUrl(target, response);
}

async function sendPart(session: Session, part: Uint8Array): Promise<void> {
  const { target, what } = session;
  const form = uploadFormOf(target.client);
  const end = session.offset + part.length;
  await target.client.retrying(what, target.signal, async attempt => {
    if (attempt > 1) await findOffset(session, end);
    while (session.offset < end) {
      const left = part.subarray(part.length - (end - session.offset));
      try {
        await sendChunk(session, left.subarray(0, form.chunkBytes));
      } catch (error) {
        if (!isSessionFault(error) || session.offset === 0) throw error;
        if (error.status !== 416) throw lost(session, error);
        // The registry and this side disagree on what has arrived: ask, and go on from there.
        const { message, hint, status, codes } = error;
        throw new RegistryError(message, { hint, status, codes, cause: error, transient: true });
      }
    }
  });
}

async function sendChunk(session: Session, chunk: Uint8Array): Promise<void> {
  const { target, what, url, offset } = session;
  const end = offset + chunk.length;
  const response = await call(target, what, "PATCH", {
    url,
    headers: {
      "content-type": "application/octet-stream",
      "content-length": String(chunk.length),
      "content-range": `${offset}-${end - 1}`,
    },
    body: () => chunk,
    accept: [201, 202, 204],
  });
  if (headerText(response.headers, "location") !== undefined) session.url = sessionUrl(target, response);
  const taken = rangeEnd(response);
  // Some take fewer bytes than they get; others go on telling the end of the first chunk, and have them all.
  session.offset = taken > offset && taken < end ? taken : end;
}

/** Asks the registry how much of the part it has. */
async function findOffset(session: Session, end: number): Promise<void> {
  const { target, what, offset } = session;
  let response: TransportResponse;
  try {
    response = await call(target, what, "GET", { url: session.url, accept: [204, 202, 200] });
  } catch (error) {
    if (!isSessionFault(error)) throw error;
    if (offset > 0) throw lost(session, error);
    session.url = await startUpload(target, what);
    return;
  }
  if (headerText(response.headers, "location") !== undefined) session.url = sessionUrl(target, response);
  const found = rangeEnd(response);
  if (found < offset || found > end) throw lost(session);
  session.offset = found;
}

/** Bytes that an answer says were taken; 0 for "0-0", which registries say of an empty session, too. */
function rangeEnd(response: TransportResponse): number {
  const last = /^(?:bytes=)?0-(\d+)$/.exec(headerText(response.headers, "range") ?? "")?.[1];
  return last === undefined || last === "0" ? 0 : Number(last) + 1;
}

/** The registry does not like the form of the request; its rights and its rate are other questions. */
function isRefusal(error: unknown): error is RegistryError {
  return (
    error instanceof RegistryError && !error.transient && [400, 404, 405, 411, 413, 415, 416].includes(error.status)
  );
}

async function call(
  { client, repository, signal }: UploadTarget,
  what: string,
  method: "PATCH" | "GET",
  request: Pick<Parameters<RegistryClient["callOnce"]>[0], "url" | "headers" | "body" | "accept">,
): Promise<TransportResponse> {
  const response = await client.callOnce({
    verb: "push",
    what,
    repository,
    actions: "pull,push",
    method,
    signal,
    ...request,
  });
  await response.body.dump();
  return response;
}

function lost({ target, what, offset }: Session, cause?: unknown): RegistryError {
  return new RegistryError(
    `Cannot push ${what} to ${target.client.registry}/${target.repository}: the registry lost the upload after ${offset} bytes, expected it to go on`,
    { status: 404, cause, hint: "Run the command again; what comes from a pipe is safer pushed from a file." },
  );
}
