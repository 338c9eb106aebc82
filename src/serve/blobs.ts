import type { Digest } from "../oci/digest.ts";
import type { Answer } from "./answer.ts";
import { parseByteRange } from "./byte-range.ts";
import type { Exchange } from "./exchange.ts";
import type { StoredContent } from "./folder/content-folder.ts";
import type { RepositoryFolder } from "./folder/repository-folder.ts";
import { Refusal } from "./refusal.ts";
import type { FileSlice } from "./send-slice.ts";

/**
 * GET and HEAD: only under repositories that have the blob (security case S-01). A blob whose file is damaged is absent, so
 * that a push brings it again. A whole blob is hashed while it is sent; a range cannot be.
 */
export async function readBlob({ request, store }: Exchange, repository: string, digest: Digest): Promise<Answer> {
  const blob = requireBlob(store.repository(repository), repository, digest);
  const handle = await store.content.open(blob);
  if (handle === undefined) throw unknown(repository, digest);
  try {
    const onDamage = async (found: unknown): Promise<void> => await store.content.markDamaged(digest, handle, found);
    return blobAnswer(request.headers, blob, { handle, onDamage });
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** DELETE: removes the blob from this repository; its bytes are removed with the last repository that has it. */
export async function deleteBlob({ store }: Exchange, name: string, digest: Digest): Promise<Answer> {
  const repository = store.repository(name);
  const blob = requireBlob(repository, name, digest);
  if (repository !== undefined) await store.removeBlob(repository, blob);
  return { status: 202 };
}

function requireBlob(repository: RepositoryFolder | undefined, name: string, digest: Digest): StoredContent {
  const blob = repository?.blob(digest);
  if (blob !== undefined) return blob;
  throw unknown(name, digest);
}

function unknown(name: string, digest: Digest): Refusal {
  return new Refusal(404, "BLOB_UNKNOWN", `repository ${name} has no blob ${digest}`);
}

function blobAnswer(
  headers: { readonly range?: string | undefined; readonly "if-range"?: string | undefined },
  { digest, size }: StoredContent,
  file: Pick<FileSlice, "handle" | "onDamage">,
): Answer {
  const etag = `"${digest}"`;
  const common = {
    "content-type": "application/octet-stream",
    "accept-ranges": "bytes",
    "docker-content-digest": digest,
    etag,
  };
  const isSame = headers["if-range"] === undefined || headers["if-range"] === etag;
  const range = isSame ? parseByteRange(headers.range, size) : "whole";
  if (range === "unsatisfiable") {
    throw new Refusal(416, "SIZE_INVALID", `range ${headers.range ?? ""} of a blob of ${size} bytes`, {
      headers: { "content-range": `bytes */${size}`, "accept-ranges": "bytes" },
    });
  }
  const { start, end } = range === "whole" ? { start: 0, end: size } : range;
  return {
    status: range === "whole" ? 200 : 206,
    headers: range === "whole" ? common : { ...common, "content-range": `bytes ${start}-${end - 1}/${size}` },
    body: { ...file, start, end, digest: start === 0 && end === size ? digest : undefined },
  };
}
