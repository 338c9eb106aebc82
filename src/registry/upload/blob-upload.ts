import { blobChunks } from "../../content/blob-chunks.ts";
import type { BlobSource } from "../../content/contracts.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { headBlob } from "../api/blobs.ts";
import { withDigest } from "../origin/redirect-policy.ts";
import { uploadChunked } from "./chunked-upload.ts";
import type { OpenedBody } from "./replayable-body.ts";
import { uploadResumable } from "./resumable-upload.ts";
import { claimUpload } from "./resumed-session.ts";
import { capabilitiesOf, isTooLarge } from "./upload-capabilities.ts";
import {
  cancelUpload,
  checkDigest,
  inSession,
  restartingUpload,
  sessionUrl,
  type UploadTarget,
} from "./upload-session.ts";

/** True when the repository has the blob (distribution specification, "Checking if content exists in the registry"). */
export async function hasBlob(target: UploadTarget, digest: Digest): Promise<boolean> {
  const { repository, signal } = target;
  const ask = async (): Promise<boolean> => (await headBlob(repository, digest, signal)).present;
  return await repository.retrying(`blob ${digest}`, signal, ask);
}

/**
 * Mounts a blob from another repository of the same registry ("Mounting a blob from another repository").
 *
 * @returns true when mounted; else the session that the registry opened instead, or undefined when it would do neither.
 */
export async function mountBlob(target: UploadTarget, digest: Digest, from: string): Promise<true | URL | undefined> {
  const { repository, signal } = target;
  try {
    const response = await repository.callOnce({
      what: `blob ${digest}`,
      mountFrom: from,
      method: "POST",
      url: `blobs/uploads/?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from)}`,
      headers: { "content-length": "0" },
      accept: [201, 202],
      signal,
    });
    return response.status === 201 ? true : sessionUrl(target, response);
  } catch {
    // Registries refuse mounts in many ways (401 for an unknown project, dropped connections): a plain upload decides,
    // and a second try would only cost time.
    signal?.throwIfAborted();
    return undefined;
  }
}

/**
 * Uploads a blob of known digest and size: one session, one PUT with its length; in chunks where the registry, or a proxy
 * in front of it, refuses that for its size.
 *
 * @param blob opened anew for every attempt; it should check itself.
 * @param session an upload session that is open already.
 */
export async function uploadBlob(
  target: UploadTarget,
  descriptor: Descriptor,
  blob: BlobSource,
  session?: URL,
): Promise<void> {
  const { digest, size } = descriptor;
  const what = `blob ${digest}`;
  const form = capabilitiesOf(target.repository.client);
  await using record = await claimUpload(target, digest, size);
  if (record !== undefined) {
    const open = async (): Promise<OpenedBody> => ({
      body: checkedChunks(blob, size, target.signal),
      descriptor: () => descriptor,
    });
    const sent = await uploadResumable(target, { what, record, size, sourceBytes: size, open }, session);
    if (sent !== undefined) return;
    session = undefined;
  }
  if (form.takesWhole) {
    try {
      await putWhole(target, what, descriptor, blob, session);
      return;
    } catch (error) {
      if (!isTooLarge(error, size)) throw error;
      form.takesWhole = false;
    }
  } else if (session !== undefined) await cancelUpload(target, session);
  await restartingUpload(form, async () => {
    await uploadChunked(target, { what, body: blobChunks(blob, target.signal), descriptor: () => descriptor, record });
  });
}

async function putWhole(
  target: UploadTarget,
  what: string,
  { digest, size }: Descriptor,
  blob: BlobSource,
  session: URL | undefined,
): Promise<void> {
  const { repository, signal } = target;
  await inSession(target, what, session, async (url, attempt) => {
    // The answer to an earlier try may have been lost on its way.
    if (attempt > 1 && (await headBlob(repository, digest, signal)).present) return await cancelUpload(target, url);
    const response = await repository.callOnce({
      what,
      method: "PUT",
      url: withDigest(url, digest),
      headers: { "content-type": "application/octet-stream", "content-length": String(size) },
      body: () => checkedChunks(blob, size, signal),
      accept: [201, 204],
      signal,
    });
    checkDigest(target, response, digest);
  });
}

/** The last chunk waits until all has been checked: no registry, however trusting, gets a wrong blob whole. */
async function* checkedChunks(blob: BlobSource, size: number, signal?: AbortSignal): AsyncGenerator<Uint8Array, void> {
  let last: Uint8Array | undefined;
  let bytes = 0;
  for await (const chunk of blobChunks(blob, signal)) {
    bytes += chunk.length;
    if (bytes < size) yield chunk;
    else last = Buffer.from(chunk);
  }
  if (last !== undefined) yield last;
}
