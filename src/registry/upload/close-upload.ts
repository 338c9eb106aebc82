import type { Digest } from "../../oci/digest.ts";
import { headBlob } from "../api/blobs.ts";
import { withDigest } from "../origin/redirect-policy.ts";
import { cancelUpload, checkDigest, isSessionFault, MAX_RESTARTS, type UploadTarget } from "./upload-session.ts";

/**
 * The empty PUT that names the digest.
 *
 * @param round the session's number; beyond MAX_RESTARTS a lost one is an error.
 * @param isKept a later run may try again: the session is left as it is.
 * @returns false when the registry has lost the session, and the layer has to be sent again.
 */
export async function closeUpload(
  target: UploadTarget,
  what: string,
  session: URL,
  digest: Digest,
  round: number,
  isKept = false,
): Promise<boolean> {
  const { repository, signal } = target;
  try {
    const response = await repository.call({
      what,
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
    if (isSessionFault(error) && (await isPresent(target, digest))) return true;
    if (!isKept) await cancelUpload(target, session);
    if (isSessionFault(error) && round <= MAX_RESTARTS) return false;
    throw error;
  }
}

async function isPresent({ repository, signal }: UploadTarget, digest: Digest): Promise<boolean> {
  try {
    return (await headBlob(repository, digest, signal)).present;
  } catch {
    return false;
  }
}
