import { ArchiveError, IntegrityError, RegistryError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { RepositoryCall } from "../client/repository.ts";
import { headerText } from "../http/headers.ts";
import type { TransportResponse } from "../transport/transport.ts";
import { closeUpload } from "./close-upload.ts";
import { capabilitiesOf, chunkOf } from "./upload-capabilities.ts";
import type { UploadRecord } from "./upload-journal.ts";
import { cancelUpload, isSessionFault, sessionUrl, startUpload, type UploadTarget } from "./upload-session.ts";

/** An upload that is sent piece by piece. */
export interface ChunkSession {
  readonly target: UploadTarget;
  readonly what: string;
  url: URL;
  /** Bytes that the registry has for sure. */
  offset: number;
  /** Where another run finds it. */
  readonly record?: UploadRecord | undefined;
  /** It is of an earlier run, and has taken nothing from this one yet. */
  isResumed?: boolean;
}

/** @param opened a session that is open already. */
export async function openSession(
  target: UploadTarget,
  what: string,
  record?: UploadRecord,
  opened?: URL,
): Promise<ChunkSession> {
  const start = async (): Promise<URL> => await startUpload(target, what);
  const url = opened ?? (await target.repository.retrying(what, target.signal, start));
  const session = { target, what, url, offset: 0, record };
  await record?.save(session);
  return session;
}

/** After a failure: takes the session back, unless a later run may go on with it. */
export async function leaveSession(session: ChunkSession, error: unknown): Promise<void> {
  const { target, record, url } = session;
  if (record !== undefined && mayGoOn(target, error)) return;
  await record?.drop();
  await cancelUpload(target, url);
}

/** What was sent is right, as far as anybody knows, and the registry has not refused it. */
function mayGoOn({ signal }: UploadTarget, error: unknown): boolean {
  if (error instanceof IntegrityError || error instanceof ArchiveError) return false;
  if (signal?.aborted === true) return true;
  return !(error instanceof RegistryError) || error.transient;
}

export async function closeSession(session: ChunkSession, { digest }: Descriptor): Promise<void> {
  const { target, what, url, record } = session;
  try {
    await closeUpload(target, what, url, digest, Number.POSITIVE_INFINITY, record !== undefined);
    await record?.drop();
  } catch (error) {
    throw isSessionFault(error) ? lost(session, error) : error;
  }
}

export async function sendPart(session: ChunkSession, part: Uint8Array): Promise<void> {
  const { target, what } = session;
  const form = capabilitiesOf(target.repository.client);
  const end = session.offset + part.length;
  await target.repository.retrying(what, target.signal, async attempt => {
    if (attempt > 1) await findOffset(session, end);
    while (session.offset < end) {
      const left = part.subarray(part.length - (end - session.offset));
      try {
        await sendChunk(session, chunkOf(form, left));
      } catch (error) {
        if (!isSessionFault(error) || session.offset === 0) throw error;
        if (error.status !== 416 || session.isResumed === true) throw lost(session, error);
        // The registry and this side disagree on what has arrived: ask, and go on from there.
        const { message, hint, status, codes } = error;
        throw new RegistryError(message, { hint, status, codes, cause: error, transient: true });
      }
    }
  });
}

async function sendChunk(session: ChunkSession, chunk: Uint8Array): Promise<void> {
  const { target, what, url, offset } = session;
  const end = offset + chunk.length;
  const response = await callSession(target, what, "PATCH", {
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
  session.isResumed = false;
  await session.record?.save(session);
}

/** Asks the registry how much of the part it has. */
async function findOffset(session: ChunkSession, end: number): Promise<void> {
  const { target, what, offset } = session;
  let response: TransportResponse;
  try {
    response = await callSession(target, what, "GET", { url: session.url, accept: [204, 202, 200] });
  } catch (error) {
    if (!hasNoAnswer(error)) throw error;
    if (offset === 0) {
      session.url = await startUpload(target, what);
      return;
    }
    if (error.codes.includes("BLOB_UPLOAD_UNKNOWN")) throw lost(session, error);
    // Some never tell: that what failed did not arrive is as good a guess as any, and a wrong one is refused.
    return;
  }
  if (headerText(response.headers, "location") !== undefined) session.url = sessionUrl(target, response);
  const found = rangeEnd(response);
  if (found < offset || found > end) throw lost(session);
  session.offset = found;
}

function hasNoAnswer(error: unknown): error is RegistryError {
  return isSessionFault(error) || (error instanceof RegistryError && (error.status === 405 || error.status === 400));
}

/** Bytes that an answer says were taken; 0 for "0-0", which registries say of an empty session, too. */
export function rangeEnd(response: TransportResponse): number {
  const last = /^(?:bytes=)?0-(\d+)$/.exec(headerText(response.headers, "range") ?? "")?.[1];
  return last === undefined || last === "0" ? 0 : Number(last) + 1;
}

export async function callSession(
  { repository, signal }: UploadTarget,
  what: string,
  method: "PATCH" | "GET",
  request: Pick<RepositoryCall, "url" | "headers" | "body" | "accept">,
): Promise<TransportResponse> {
  return await repository.callOnce({ what, method, signal, ...request });
}

export function lost({ target, what, offset }: ChunkSession, cause?: unknown): RegistryError {
  return new RegistryError(
    `Cannot push ${what} to ${target.repository}: the registry lost the upload after ${offset} bytes, expected it to go on`,
    { status: 404, cause, hint: "Run the command again; what comes from a pipe is safer pushed from a file." },
  );
}
