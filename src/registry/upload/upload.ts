import { RegistryError } from "../../errors.ts";
import type { Repository } from "../client/repository.ts";
import { ReplayableBody } from "./replayable-body.ts";
import { isSessionFault } from "./session-fault.ts";
import { cancelUpload } from "./start-upload.ts";
import type { UploadBody } from "./upload-body.ts";
import { capabilitiesOf, inTurn, isTooLarge, MAX_RESTARTS, type UploadCapabilities } from "./upload-capabilities.ts";
import { uploadChunked } from "./upload-chunked.ts";
import type { UploadJournal } from "./upload-journal.ts";
import { type UploadContext, UploadSession } from "./upload-session.ts";
import { uploadStreamed } from "./upload-streamed.ts";
import { uploadWhole } from "./upload-whole.ts";

export interface UploadOptions {
  /** Keeps large uploads for a later run. */
  readonly journal?: UploadJournal | undefined;
  /** The URL of a session that is open already. */
  readonly opened?: URL | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Uploads a blob in the first way that the registry takes: the rest of an upload of an earlier run; a stream, for a blob
 * without digest yet, or one that a later run can resume; one PUT; chunks. A body that cannot be read again goes in chunks.
 *
 * @throws RegistryError, NetworkError; IntegrityError when the body, or what the registry stored, is not the blob.
 */
export async function upload(repository: Repository, body: UploadBody, options: UploadOptions = {}): Promise<void> {
  const { journal, signal } = options;
  const { what, resumeKey, sourceBytes, isOneShot } = body;
  const isKept = journal !== undefined && resumeKey !== undefined && sourceBytes >= journal.minBytes;
  await using record = isKept ? await journal.claim({ repository, key: resumeKey }, signal) : undefined;
  await using bytes = new ReplayableBody(body.open, body.onSent);
  const context: UploadContext = { repository, what, record, isOneShot, signal };
  const resumed = await UploadSession.adopt(context, body.descriptor?.size);
  if (resumed === undefined) return await uploadNew(context, body, bytes, options.opened);
  if (options.opened !== undefined) await cancelUpload(repository, options.opened, signal);
  if (await finishResumed(resumed, body, bytes)) return;
  await uploadNew(context, body, bytes);
}

/** @returns false when the registry does not resume the upload, so that it must be sent from the start. */
async function finishResumed(session: UploadSession, body: UploadBody, bytes: ReplayableBody): Promise<boolean> {
  const { repository, what, record } = session.context;
  try {
    if (body.isOneShot) await uploadChunked(session.context, bytes, session);
    else await uploadStreamed(session, bytes);
    return true;
  } catch (error) {
    if (body.isOneShot || !(error instanceof RegistryError) || error.transient) throw error;
    record?.note(`${repository} cannot resume ${what}; uploading it from the start`);
    return false;
  }
}

async function uploadNew(
  context: UploadContext,
  { descriptor, sourceBytes, isOneShot }: UploadBody,
  bytes: ReplayableBody,
  opened?: URL,
): Promise<void> {
  const { repository, signal } = context;
  const capabilities = capabilitiesOf(repository.client);
  let session = opened;
  // Only the first session may be one that is open already.
  const take = (): URL | undefined => {
    const taken = session;
    session = undefined;
    return taken;
  };
  const isStream = descriptor === undefined || context.record !== undefined;
  if (!isOneShot && isStream && capabilities.takesWhole && capabilities.takesStreams) {
    try {
      const stream = async (): Promise<void> => await uploadStreamed(await UploadSession.open(context, take()), bytes);
      return await restarting(capabilities, stream);
    } catch (error) {
      if (isTooLarge(error, sourceBytes)) capabilities.takesWhole = false;
      else if (isRefusedForm(error)) capabilities.takesStreams = false;
      else throw error;
    }
  }
  if (!isOneShot && descriptor !== undefined && capabilities.takesWhole) {
    try {
      return await uploadWhole(context, bytes, descriptor, take());
    } catch (error) {
      if (!isTooLarge(error, sourceBytes)) throw error;
      capabilities.takesWhole = false;
    }
  }
  if (session !== undefined) await cancelUpload(repository, session, signal);
  if (isOneShot) await uploadChunked(context, bytes);
  else await restarting(capabilities, async () => await uploadChunked(context, bytes));
}

/** Sends a body again from its start whenever the registry has lost what it had of it. */
async function restarting(capabilities: UploadCapabilities, send: () => Promise<void>): Promise<void> {
  for (let round = 1; ; round += 1) {
    try {
      return await inTurn(capabilities, send);
    } catch (error) {
      if (!isSessionFault(error) || round > MAX_RESTARTS) throw error;
      capabilities.isOneAtATime = true;
    }
  }
}

/** The registry may refuse the form of the request. Wrong bytes are another matter. */
function isRefusedForm(error: unknown): boolean {
  if (!(error instanceof RegistryError) || error.transient || error.codes.includes("DIGEST_INVALID")) return false;
  return [400, 404, 405, 411, 415, 416, 501].includes(error.status);
}
