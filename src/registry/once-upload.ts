import { RegistryError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { headerText } from "./headers.ts";
import { closeUpload } from "./pending-upload.ts";
import type { RegistryClient } from "./registry-client.ts";
import type { TransportResponse } from "./transport.ts";
import { cancelUpload, isSessionFault, sessionUrl, startUpload, type UploadTarget } from "./upload-session.ts";

/** Bytes that wait in memory until the registry has taken them; twice as many while the next ones are gathered. */
export const ONCE_PART_BYTES: number = 8 * 1024 * 1024;

interface Part {
  readonly pieces: readonly Uint8Array[];
  readonly bytes: number;
}

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
        await putSmall(descriptor(), Buffer.concat(part.pieces, part.bytes));
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

/** Copies, because the memory of what `body` yields is used again. */
async function* parts(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ readonly part: Part; readonly isLast: boolean }> {
  let pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body) {
    // Kept back until more comes: the last part must be known as such.
    if (bytes >= ONCE_PART_BYTES) {
      yield { part: { pieces, bytes }, isLast: false };
      pieces = [];
      bytes = 0;
    }
    pieces.push(Buffer.from(piece));
    bytes += piece.length;
  }
  yield { part: { pieces, bytes }, isLast: true };
}

async function openSession(target: UploadTarget, what: string): Promise<Session> {
  const url = await target.client.retrying(what, target.signal, async () => await startUpload(target, what));
  return { target, what, url, offset: 0 };
}

async function sendPart(session: Session, { pieces, bytes }: Part): Promise<void> {
  const { target, what } = session;
  const end = session.offset + bytes;
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
        body: () => tail(pieces, bytes - (end - offset)),
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

async function* tail(pieces: readonly Uint8Array[], skipped: number): AsyncGenerator<Uint8Array> {
  let left = skipped;
  for (const piece of pieces) {
    if (piece.length > left) yield piece.subarray(left);
    left = Math.max(0, left - piece.length);
  }
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
