import type { PendingBody, PendingStream, Seal } from "../content/contracts.ts";
import { RegistryError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { headBlob } from "./blob-upload.ts";
import { headerText } from "./headers.ts";
import { withDigest } from "./redirect-policy.ts";
import {
  cancelUpload,
  checkDigest,
  inSession,
  isSessionFault,
  MOST_RESTARTS,
  sessionUrl,
  type UploadTarget,
} from "./upload-session.ts";

/**
 * Uploads a blob whose digest its last byte tells: one streamed PATCH without Content-Range, closed by an empty PUT, as
 * docker push does.
 *
 * @param onBytes hears source bytes; a negative number takes back what is sent again.
 */
export async function uploadPending(
  target: UploadTarget,
  blob: PendingBody,
  onBytes?: (bytes: number) => void,
): Promise<Seal> {
  const what = `layer ${blob.key.replace("pending:", "")}`;
  for (let round = 1; ; round += 1) {
    const { seal, session } = await inSession(target, what, undefined, url =>
      streamInto(target, what, url, blob, onBytes),
    );
    if (await closeUpload(target, what, session, seal.descriptor.digest, round)) return seal;
    onBytes?.(-blob.sourceBytes);
  }
}

async function streamInto(
  target: UploadTarget,
  what: string,
  url: URL,
  blob: PendingBody,
  onBytes: ((bytes: number) => void) | undefined,
): Promise<{ readonly seal: Seal; readonly session: URL }> {
  const { client, repository, signal } = target;
  let counted = 0;
  const count = (bytes: number): void => {
    counted += bytes;
    onBytes?.(bytes);
  };
  const sending: { stream?: PendingStream; isSent: boolean } = { isSent: false };
  /** Opens the layer anew when a 401 makes the client send it again. */
  async function* body(): AsyncGenerator<Uint8Array> {
    await sending.stream?.body.return();
    count(-counted);
    const stream = await blob.open(signal, count);
    sending.stream = stream;
    yield* stream.body;
    sending.isSent = true;
  }
  try {
    const response = await client.callOnce({
      verb: "push",
      what,
      repository,
      actions: "pull,push",
      method: "PATCH",
      url,
      headers: { "content-type": "application/octet-stream" },
      body,
      accept: [201, 202, 204],
      signal,
    });
    await response.body.dump();
    if (sending.stream === undefined || !sending.isSent) {
      throw new RegistryError(
        `Cannot push ${what} to ${client.registry}/${repository}: status ${response.status} before the last byte, expected it after`,
        { status: response.status, transient: true },
      );
    }
    const session = headerText(response.headers, "location") === undefined ? url : sessionUrl(target, response);
    return { seal: sending.stream.seal(), session };
  } catch (error) {
    count(-counted);
    throw error;
  } finally {
    await sending.stream?.body.return();
  }
}

/**
 * The empty PUT that names the digest.
 *
 * @param round the session's number; beyond MOST_RESTARTS a lost one is an error.
 * @returns false when the registry has lost the session, and the layer has to be sent again.
 */
export async function closeUpload(
  target: UploadTarget,
  what: string,
  session: URL,
  digest: Digest,
  round: number,
): Promise<boolean> {
  const { client, repository, signal } = target;
  try {
    const response = await client.callDumped({
      verb: "push",
      what,
      repository,
      actions: "pull,push",
      method: "PUT",
      url: withDigest(session, digest),
      headers: { "content-length": "0" },
      accept: [201, 204],
      signal,
    });
    checkDigest(target, response, digest);
    return true;
  } catch (error) {
    signal?.throwIfAborted();
    // The answer to the first try may have been lost on its way; the session is gone then, and the blob is there.
    if (isSessionFault(error) && (await headBlob(target, digest).catch(() => false))) return true;
    await cancelUpload(target, session);
    if (isSessionFault(error) && round <= MOST_RESTARTS) return false;
    throw error;
  }
}
