import { RegistryError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { headerText } from "../http/headers.ts";
import {
  type ChunkSession,
  callSession,
  closeSession,
  leaveSession,
  lost,
  openSession,
  sendPart,
} from "./chunk-session.ts";
import { canShrink, capabilitiesOf, shrinkChunks } from "./upload-capabilities.ts";
import type { UploadRecord } from "./upload-journal.ts";
import { longEnough, type Part, partsOf } from "./upload-parts.ts";
import { cancelUpload, MAX_RESTARTS, sessionUrl, type UploadTarget } from "./upload-session.ts";

export interface ChunkedUpload {
  /** As messages name it. */
  readonly what: string;
  /** Read once. Its memory may be used again when the next piece is asked for. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Asked when `body` has ended. */
  readonly descriptor: () => Descriptor;
  /** Takes what fits one part, whole: it can be sent as any other blob. Without it that goes as a chunk, too. */
  readonly putSmall?: ((descriptor: Descriptor, bytes: Uint8Array) => Promise<void>) | undefined;
  /** Where a later run finds the upload. */
  readonly record?: UploadRecord | undefined;
  /** Begun already: `body` has what comes behind its offset. */
  readonly session?: ChunkSession | undefined;
}

/**
 * Uploads bytes that cannot be read again, or that a registry does not take in one request: PATCH requests of a chunk
 * each, sent anew from memory until the registry has it (distribution specification, "Pushing a blob in chunks"). Where
 * chunks are refused, the rest goes in one streamed PATCH, as docker push does it.
 *
 * @throws RegistryError when the registry loses what it has taken already.
 */
export async function uploadChunked(target: UploadTarget, upload: ChunkedUpload): Promise<void> {
  const { what, descriptor, putSmall, record } = upload;
  const form = capabilitiesOf(target.repository.client);
  const parts = partsOf(upload.body);
  let { session } = upload;
  let isFirst = session === undefined;
  let sending: Promise<void> = Promise.resolve();
  try {
    for (let next = await parts.next(); !next.done; next = await parts.next()) {
      if (next.value.isLast && session === undefined && putSmall !== undefined) {
        await putSmall(descriptor(), next.value.part);
        return;
      }
      session ??= await openSession(target, what, record);
      await sending;
      const part = await longEnough(next.value, parts, form.minChunkBytes);
      if (isFirst) {
        isFirst = false;
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
    if (session !== undefined) await leaveSession(session, error);
    throw error;
  } finally {
    await parts.return(undefined);
  }
}

/**
 * Finds out how large a chunk may be. A refused one may have spoilt its session, so each try gets its own.
 *
 * @returns false when this registry takes no chunks of any size.
 */
async function sendFirst(session: ChunkSession, part: Uint8Array): Promise<boolean> {
  const { target, what } = session;
  const form = capabilitiesOf(target.repository.client);
  for (let losses = 0; form.takesChunks; ) {
    try {
      await sendPart(session, part);
      return true;
    } catch (error) {
      if (!isRefusal(error) || session.offset > 0) throw error;
      // A registry that lost the session says nothing about the size.
      const isLost = error.status === 404;
      if (isLost && losses === MAX_RESTARTS) throw error;
      if (isLost) losses += 1;
      else if (canShrink(form)) shrinkChunks(form);
      else form.takesChunks = false;
      await cancelUpload(target, session.url);
      Object.assign(session, await openSession(target, what, session.record));
    }
  }
  return false;
}

/** What is in memory still, and then whatever comes: not to be had again when it fails. */
async function streamRest(
  session: ChunkSession,
  first: Uint8Array,
  parts: AsyncGenerator<Part, undefined>,
): Promise<void> {
  const { target, what, url } = session;
  let isStarted = false;
  async function* rest(): AsyncGenerator<Uint8Array> {
    if (isStarted) throw lost(session);
    isStarted = true;
    yield first;
    for (let next = await parts.next(); !next.done; next = await parts.next()) yield next.value.part;
  }
  const response = await callSession(target, what, "PATCH", {
    url,
    headers: { "content-type": "application/octet-stream" },
    body: rest,
    accept: [201, 202, 204],
  });
  if (headerText(response.headers, "location") !== undefined) session.url = sessionUrl(target, response);
}

/** The registry does not like the form of the request; its rights and its rate are other questions. */
function isRefusal(error: unknown): error is RegistryError {
  return (
    error instanceof RegistryError && !error.transient && [400, 404, 405, 411, 413, 415, 416].includes(error.status)
  );
}
