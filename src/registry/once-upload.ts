import { RegistryError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { headerText } from "./headers.ts";
import { closeUpload } from "./pending-upload.ts";
import type { RegistryClient } from "./registry-client.ts";
import type { TransportResponse } from "./transport.ts";
import { cancelUpload, isSessionFault, sessionUrl, startUpload, type UploadTarget } from "./upload-session.ts";

/** Bytes that wait in memory until the registry has taken them; twice as many while the next ones are gathered. */
export const ONCE_PART_BYTES: number = 8 * 1024 * 1024;

interface Session {
  readonly target: UploadTarget;
  readonly what: string;
  url: URL;
  /** Bytes that the registry has for sure. */
  offset: number;
}

export interface OnceUpload {
  /** As messages name it. */
  readonly what: string;
  readonly body: AsyncIterable<Uint8Array>;
  /** Asked when `body` has ended. */
  readonly descriptor: () => Descriptor;
  /** Takes what fits one part, whole: it can be sent as any other blob. */
  readonly putSmall: (descriptor: Descriptor, bytes: Uint8Array) => Promise<void>;
}

/**
 * Uploads bytes that cannot be read again: in PATCH requests of a part each, which is sent anew from memory until the
 * registry has it (distribution specification, "Pushing a blob in chunks").
 *
 * @throws RegistryError when the registry loses what it has taken already.
 */
export async function uploadOnce(target: UploadTarget, upload: OnceUpload): Promise<void> {
  const { what, descriptor, putSmall } = upload;
  let session: Session | undefined;
  let sending: Promise<void> = Promise.resolve();
  try {
    for await (const { part, isLast } of parts(upload.body)) {
      await sending;
      if (isLast && session === undefined) {
        await putSmall(descriptor(), part);
        return;
      }
      session ??= await openSession(target, what);
      sending = sendPart(session, part);
      // Awaited before the next part, or at the end.
      sending.catch(() => undefined);
    }
    await sending;
    if (session === undefined) return;
    const { digest } = descriptor();
    await closeUpload(target, what, session.url, digest, Number.POSITIVE_INFINITY);
  } catch (error) {
    await sending.catch(() => undefined);
    if (session !== undefined) await cancelUpload(target, session.url);
    throw error;
  }
}

/**
 * Parts of equal length, but for the last. They take turns in two buffers: one is filled while the other is being sent,
 * and must have been when the next part is asked for.
 */
async function* parts(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ readonly part: Uint8Array; readonly isLast: boolean }> {
  let buffer: Uint8Array = Buffer.allocUnsafeSlow(ONCE_PART_BYTES);
  let other: Uint8Array | undefined;
  let filled = 0;
  for await (const piece of body) {
    for (let taken = 0; taken < piece.length; ) {
      // Kept back until more comes: the last part must be known as such.
      if (filled === buffer.length) {
        yield { part: buffer, isLast: false };
        [buffer, other] = [other ?? Buffer.allocUnsafeSlow(ONCE_PART_BYTES), buffer];
        filled = 0;
      }
      const step = Math.min(buffer.length - filled, piece.length - taken);
      buffer.set(piece.subarray(taken, taken + step), filled);
      filled += step;
      taken += step;
    }
  }
  yield { part: buffer.subarray(0, filled), isLast: true };
}

async function openSession(target: UploadTarget, what: string): Promise<Session> {
  const url = await target.client.retrying(what, target.signal, async () => await startUpload(target, what));
  return { target, what, url, offset: 0 };
}

async function sendPart(session: Session, part: Uint8Array): Promise<void> {
  const { target, what } = session;
  const end = session.offset + part.length;
  await target.client.retrying(what, target.signal, async attempt => {
    if (attempt > 1) await findOffset(session, end);
    if (session.offset === end) return;
    try {
      const { offset } = session;
      const response = await call(target, what, "PATCH", {
        url: session.url,
        headers: {
          "content-type": "application/octet-stream",
          "content-length": String(end - offset),
          "content-range": `${offset}-${end - 1}`,
        },
        body: () => part.subarray(part.length - (end - offset)),
        accept: [201, 202, 204],
      });
      if (headerText(response.headers, "location") !== undefined) session.url = sessionUrl(target, response);
      session.offset = end;
    } catch (error) {
      // The registry and this side disagree on what has arrived: ask, and go on from there.
      if (!(error instanceof RegistryError) || error.status !== 416) throw error;
      const { message, hint, status, codes } = error;
      throw new RegistryError(message, { hint, status, codes, cause: error, transient: true });
    }
  });
}

/** Asks the registry how much of the part it has (distribution specification, "Pushing a blob in chunks"). */
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
  const last = /^(?:bytes=)?0-(\d+)$/.exec(headerText(response.headers, "range") ?? "")?.[1];
  // "0-0" is what registries say of an empty session, too.
  const found = last === undefined || last === "0" ? 0 : Number(last) + 1;
  if (found < offset || found > end) throw lost(session);
  session.offset = found;
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
    {
      status: 404,
      cause,
      hint: "What comes from a pipe cannot be read again: run the command again, or push from a file.",
    },
  );
}
