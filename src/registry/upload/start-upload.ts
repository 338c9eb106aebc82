import { RegistryError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { deadlineSignal } from "../../util/time/deadline.ts";
import type { Repository } from "../client/repository.ts";
import { headerText } from "../http/headers.ts";
import { resolveUploadLocation } from "../origin/redirect-policy.ts";
import type { TransportResponse } from "../transport/transport.ts";
import { capabilitiesOf, noteChunkLimits } from "./upload-capabilities.ts";

const CANCEL_MS = 2000;
/** Shorter, because an interrupted run must end. */
const ABORTED_CANCEL_MS = 1000;
const NO_BODY = { "content-length": "0" };

/** Opens an upload session (distribution specification, "Pushing blobs"); one attempt. @param what as in messages. */
export async function startUpload(repository: Repository, what: string, signal?: AbortSignal): Promise<URL> {
  const call = { what, method: "POST", url: "blobs/uploads/", headers: NO_BODY, accept: [202], signal } as const;
  const response = await repository.callOnce(call);
  noteChunkLimits(capabilitiesOf(repository.client), response.headers);
  return sessionUrl(repository, response);
}

/**
 * Mounts a blob from another repository of the same registry ("Mounting a blob from another repository").
 *
 * @returns true when mounted; else the session that the registry opened instead, or undefined when it did neither.
 */
export async function mountBlob(
  repository: Repository,
  digest: Digest,
  from: string,
  signal?: AbortSignal,
): Promise<true | URL | undefined> {
  try {
    const response = await repository.callOnce({
      what: `blob ${digest}`,
      mountFrom: from,
      method: "POST",
      url: `blobs/uploads/?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from)}`,
      headers: NO_BODY,
      accept: [201, 202],
      signal,
    });
    return response.status === 201 ? true : sessionUrl(repository, response);
  } catch {
    // Registries refuse mounts in many ways (401 for an unknown project, dropped connections). The upload that follows
    // decides, so a second attempt would only cost time.
    signal?.throwIfAborted();
    return undefined;
  }
}

/** Ends a session. Best effort, also after an abort: some registries want rights for it that a push does not have. */
export async function cancelUpload(repository: Repository, url: URL, signal?: AbortSignal): Promise<void> {
  using limit = deadlineSignal(signal?.aborted === true ? ABORTED_CANCEL_MS : CANCEL_MS);
  try {
    await repository.callOnce({ what: "upload", method: "DELETE", url, accept: [204, 202, 200], signal: limit.signal });
  } catch {
    // The registry removes it later.
  }
}

/** The session URL that an answer names. @throws RegistryError */
export function sessionUrl(repository: Repository, { url, status, headers }: TransportResponse): URL {
  const location = headerText(headers, "location");
  if (location === undefined) {
    throw new RegistryError(`Cannot push to ${repository}: no Location in the answer, expected an upload session`, {
      status,
      hint: "This address may not be a registry: check its name and port.",
    });
  }
  const fromIsPrivate = repository.client.transport.isInside(url);
  return resolveUploadLocation(url, location, { status, fromIsPrivate }).url;
}
