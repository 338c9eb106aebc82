import { RegistryError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { type ChunkSession, closeSession, leaveSession, lost, openSession } from "./chunk-session.ts";
import { uploadChunked } from "./chunked-upload.ts";
import { type OpenedBody, ReplayedBody } from "./replayable-body.ts";
import { findKept, resumeSession } from "./resumed-session.ts";
import { streamPiece } from "./stream-piece.ts";
import { capabilitiesOf, isTooLarge } from "./upload-capabilities.ts";
import type { UploadRecord } from "./upload-journal.ts";
import { cancelUpload, restartingUpload, startUpload, type UploadTarget } from "./upload-session.ts";

export interface ResumableUpload {
  /** As messages name it. */
  readonly what: string;
  readonly record: UploadRecord;
  /** Of the blob, or of what it is made of. */
  readonly sourceBytes: number;
  readonly size?: number | undefined;
  readonly open: () => Promise<OpenedBody>;
}

/** Uploads begun again because a request broke off and the registry kept nothing of it. */
const MAX_LOSSES = 4;

/**
 * Uploads a blob so that a later run can go on where this one ended: streamed PATCH requests and an empty PUT, or what is
 * left of an earlier run's upload in chunks.
 *
 * @param opened a session that is open already.
 * @returns undefined when the registry does not take it in this form.
 */
export async function uploadResumable(
  target: UploadTarget,
  upload: ResumableUpload,
  opened?: URL,
): Promise<Descriptor | undefined> {
  const { what, record, size, sourceBytes } = upload;
  const form = capabilitiesOf(target.repository.client);
  await using body = new ReplayedBody(upload.open);
  const resumed = await resumeSession(target, what, record, size);
  if (resumed !== undefined) {
    if (opened !== undefined) await cancelUpload(target, opened);
    opened = undefined;
    try {
      return await finish(resumed, body);
    } catch (error) {
      if (!(error instanceof RegistryError) || error.transient) throw error;
      record.note(`${target.repository} cannot resume ${what}; uploading it from the start`);
    }
  }
  const first = opened;
  if (!form.takesWhole || !form.takesStreams) {
    if (first !== undefined) await cancelUpload(target, first);
    return undefined;
  }
  try {
    let isFirst = true;
    await restartingUpload(form, async () => {
      const session = await openSession(target, what, record, isFirst ? first : undefined);
      isFirst = false;
      await finish(session, body);
    });
    return body.descriptor();
  } catch (error) {
    if (isTooLarge(error, sourceBytes)) form.takesWhole = false;
    else if (isRefusedForm(error)) form.takesStreams = false;
    else throw error;
    return undefined;
  }
}

/** Sends what the session has not, and closes it. */
async function finish(session: ChunkSession, body: ReplayedBody): Promise<Descriptor> {
  const { target, what } = session;
  let isEnded: boolean;
  try {
    isEnded = await streamAll(session, body);
    if (isEnded) await closeSession(session, body.descriptor());
    else if (!(await body.seek(session.offset))) throw lost(session);
  } catch (error) {
    await leaveSession(session, error);
    throw error;
  }
  const descriptor = (): Descriptor => body.descriptor();
  if (!isEnded) await uploadChunked(target, { what, body: body.parts(), descriptor, session });
  return descriptor();
}

/** @returns whether all was sent; else the rest must go in chunks. */
async function streamAll(session: ChunkSession, body: ReplayedBody): Promise<boolean> {
  const { target, what } = session;
  let losses = 0;
  for (;;) {
    const state = await target.repository.retrying(what, target.signal, async attempt => {
      if (attempt > 1 && !((await findKept(session)) && session.offset > 0)) {
        losses += 1;
        if (losses > MAX_LOSSES) throw lost(session);
        await cancelUpload(target, session.url);
        session.url = await startUpload(target, what);
        session.offset = 0;
        await session.record?.save(session);
      }
      const isPieces = takesPieces(session.url);
      // Only the first stream may come without Content-Range elsewhere, and what is made on its way has no known length.
      if (session.offset > 0 && !isPieces) return "rest";
      const maxBytes = isPieces ? target.journal?.pieceBytes : undefined;
      const isEnded = await streamPiece(session, body, maxBytes ?? Number.POSITIVE_INFINITY);
      return isEnded ? "ended" : "piece";
    });
    if (state !== "piece") return state === "ended";
  }
}

/** Distribution, by the state in its session URLs: it appends whatever comes, and acknowledges a place to go on from. */
function takesPieces(url: URL): boolean {
  return url.searchParams.has("_state");
}

/** What is refused may be the form of the requests; that the bytes are not right is another matter. */
function isRefusedForm(error: unknown): boolean {
  if (!(error instanceof RegistryError) || error.transient || error.codes.includes("DIGEST_INVALID")) return false;
  return [400, 404, 405, 411, 415, 416, 501].includes(error.status);
}
