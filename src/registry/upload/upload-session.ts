import { IntegrityError, RegistryError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { quote } from "../../util/format.ts";
import type { Repository } from "../client/repository.ts";
import { headerList, headerText } from "../http/headers.ts";
import { resolveUploadLocation } from "../origin/redirect-policy.ts";
import type { TransportResponse } from "../transport/transport.ts";
import { capabilitiesOf, inTurn, noteChunkLimits, type UploadCapabilities } from "./upload-capabilities.ts";
import type { UploadJournal } from "./upload-journal.ts";

/** Where a blob goes. */
export interface UploadTarget {
  readonly repository: Repository;
  readonly signal?: AbortSignal | undefined;
  /** Keeps large uploads for a later run. */
  readonly journal?: UploadJournal | undefined;
}

const CANCEL_MS = 2000;
/** Whoever has interrupted the run waits for it. */
const ABORTED_CANCEL_MS = 1000;
/** Distribution specification, "Error Codes". DIGEST_INVALID: the bytes were checked here, so they changed on their way. */
const SESSION_CODES: ReadonlySet<string> = new Set(["BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID", "DIGEST_INVALID"]);
/** Registries that lose sessions (several behind one name without shared storage) do so again and again. */
export const MAX_RESTARTS: number = 2;

/**
 * Every try gets a session of its own, since a failed one may hold bytes.
 *
 * @param hasTurn the caller runs `inTurn` already.
 */
export async function inSession<T>(
  target: UploadTarget,
  what: string,
  opened: URL | undefined,
  send: (session: URL, attempt: number) => Promise<T>,
  hasTurn = false,
): Promise<T> {
  const form = capabilitiesOf(target.repository.client);
  const once = async (attempt: number): Promise<T> => {
    const session = attempt === 1 && opened !== undefined ? opened : await startUpload(target, what);
    try {
      return await send(session, attempt);
    } catch (error) {
      await cancelUpload(target, session);
      if (!isSessionFault(error) || attempt > MAX_RESTARTS) throw error;
      // Once may be bad luck; twice, they spoil each other.
      form.isOneAtATime ||= attempt > 1;
      const { message, hint, status, codes } = error;
      throw new RegistryError(message, { hint, status, codes, cause: error, transient: true });
    }
  };
  return await target.repository.retrying(what, target.signal, async attempt =>
    hasTurn ? await once(attempt) : await inTurn(form, async () => await once(attempt)),
  );
}

/** Sends a blob that can be read again from its beginning whenever the registry has lost what it had of it. */
export async function restartingUpload(form: UploadCapabilities, upload: () => Promise<void>): Promise<void> {
  for (let round = 1; ; round += 1) {
    try {
      await inTurn(form, upload);
      return;
    } catch (error) {
      if (!isSessionFault(error) || round > MAX_RESTARTS) throw error;
      form.isOneAtATime = true;
    }
  }
}

/** The session is lost or spoilt; another one may go well. */
export function isSessionFault(error: unknown): error is RegistryError {
  if (!(error instanceof RegistryError) || error.transient) return false;
  return error.status === 404 || error.status === 416 || error.codes.some(code => SESSION_CODES.has(code));
}

/** A session of its own for one blob; one try. */
export async function startUpload(target: UploadTarget, what: string): Promise<URL> {
  const { repository, signal } = target;
  const response = await repository.callOnce({
    what,
    method: "POST",
    url: "blobs/uploads/",
    headers: { "content-length": "0" },
    accept: [202],
    signal,
  });
  noteChunkLimits(capabilitiesOf(target.repository.client), response.headers);
  return sessionUrl(target, response);
}

/** Best effort, also after an abort: some registries want rights for it that a push does not have. */
export async function cancelUpload(target: UploadTarget, url: URL): Promise<void> {
  const { repository } = target;
  const signal = AbortSignal.timeout(target.signal?.aborted === true ? ABORTED_CANCEL_MS : CANCEL_MS);
  try {
    await repository.callOnce({ what: "upload", method: "DELETE", url, accept: [204, 202, 200], signal });
  } catch {
    // The registry drops it by itself some day.
  }
}

/** The session that an answer names. */
export function sessionUrl(target: UploadTarget, response: TransportResponse): URL {
  const location = headerText(response.headers, "location");
  if (location === undefined) {
    throw new RegistryError(
      `Cannot push to ${target.repository}: no Location in the answer, expected an upload session`,
      { status: response.status, hint: "This address may not be a registry: check its name and port." },
    );
  }
  const fromIsPrivate = target.repository.client.transport.isInside(response.url);
  return resolveUploadLocation(response.url, location, { status: response.status, fromIsPrivate }).url;
}

/** @throws IntegrityError when the registry says that it stored something else. */
export function checkDigest(target: UploadTarget, response: TransportResponse, digest: Digest): void {
  const found = headerList(response.headers, "docker-content-digest").find(told => told !== digest);
  if (found === undefined) return;
  throw new IntegrityError(
    `Cannot push blob to ${target.repository}: registry stored ${quote(found)}, expected ${digest}`,
    { hint: "A proxy on the way may alter bodies; try once without it." },
  );
}
