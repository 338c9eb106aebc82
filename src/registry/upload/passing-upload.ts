import { type ChunkedUpload, uploadChunked } from "./chunked-upload.ts";
import { claimUpload, resumeSession } from "./resumed-session.ts";
import type { UploadTarget } from "./upload-session.ts";

export interface PassingUpload extends Pick<ChunkedUpload, "what" | "body" | "descriptor" | "putSmall"> {
  /** Tells the bytes, as in UploadName; without it a later run cannot know that they are the same. */
  readonly key?: string | undefined;
  /** Of the blob, or of what it is made of. */
  readonly sourceBytes: number;
  readonly size?: number | undefined;
}

/** Uploads bytes that pass by only once, in chunks; behind those that an earlier run has left at the registry. */
export async function uploadPassing(target: UploadTarget, upload: PassingUpload): Promise<void> {
  const { what, body, descriptor, putSmall, key, sourceBytes, size } = upload;
  await using record = key === undefined ? undefined : await claimUpload(target, key, sourceBytes);
  const session = record === undefined ? undefined : await resumeSession(target, what, record, size);
  if (session === undefined) await uploadChunked(target, { what, body, descriptor, putSmall, record });
  else await uploadChunked(target, { what, body: behind(body, session.offset), descriptor, record, session });
}

async function* behind(body: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const part of body) {
    if (part.length > left) yield part.subarray(left);
    left = Math.max(0, left - part.length);
  }
}
