import { RegistryError } from "../../errors.ts";
import { headerText } from "../http/headers.ts";
import { isRateLimit } from "../http/network-error.ts";
import { type ChunkSession, callSession, rangeEnd } from "./chunk-session.ts";
import type { UploadRecord } from "./upload-journal.ts";
import { cancelUpload, sessionUrl, type UploadTarget } from "./upload-session.ts";

/** The record of an upload of this many bytes; undefined where none is kept. `key` as in UploadName. */
export async function claimUpload(
  { repository, journal }: UploadTarget,
  key: string,
  bytes: number,
): Promise<UploadRecord | undefined> {
  if (journal === undefined || bytes < journal.minBytes) return undefined;
  return await journal.claim({ repository, key });
}

/**
 * The session that an earlier run left; undefined when there is none, or nothing of use in it.
 *
 * @param size of the blob, where it is known.
 */
export async function resumeSession(
  target: UploadTarget,
  what: string,
  record: UploadRecord,
  size: number = Number.POSITIVE_INFINITY,
): Promise<ChunkSession | undefined> {
  if (record.saved === undefined) return undefined;
  const session: ChunkSession = { target, what, ...record.saved, record, isResumed: true };
  const isKnown = await target.repository.retrying(what, target.signal, async () => await findKept(session));
  if (isKnown && session.offset > 0 && session.offset <= size) {
    record.note(`${target.repository} has ${session.offset} bytes of ${what} from an earlier run; uploading the rest`);
    await record.save(session);
    return session;
  }
  await record.drop();
  await cancelUpload(target, session.url);
  record.note(`Nothing of the earlier upload of ${what} can be reused; starting over`);
  return undefined;
}

/**
 * Asks how much of an upload is there, and notes it in the session.
 *
 * @returns false when the registry does not say, or no longer knows the upload.
 */
export async function findKept(session: ChunkSession): Promise<boolean> {
  const { target, what, url } = session;
  try {
    const response = await callSession(target, what, "GET", { url, accept: [204, 202, 200] });
    if (headerText(response.headers, "range") === undefined) return false;
    if (headerText(response.headers, "location") !== undefined) session.url = sessionUrl(target, response);
    session.offset = rangeEnd(response);
    return true;
  } catch (error) {
    if (!(error instanceof RegistryError) || isRateLimit(error)) throw error;
    return false;
  }
}
