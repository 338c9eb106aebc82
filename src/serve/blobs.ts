import type { Digest } from "../oci/digest.ts";
import type { Answer } from "./answer.ts";
import { parseByteRange } from "./byte-range.ts";
import type { OpenBlob, ServedRepository, StoredContent } from "./content/served-registry.ts";
import { type Exchange, namespaceOf, type StoreExchange } from "./exchange.ts";
import { Refusal } from "./refusal.ts";

/**
 * GET and HEAD: only under repositories that have the blob (security case S-01). A blob whose file is damaged is absent, so
 * that a push brings it again. A whole blob is hashed while it is sent; a range cannot be.
 */
export async function readBlob(
  { request, query, registry }: Exchange,
  repository: string,
  digest: Digest,
): Promise<Answer> {
  const known = requireBlob(await registry.repository(repository, namespaceOf(query)), repository, digest);
  const blob = await registry.openBlob(known);
  if (blob === undefined) throw unknown(repository, digest);
  try {
    return blobAnswer(request.headers, blob);
  } catch (error) {
    await blob.close();
    throw error;
  }
}

/** DELETE: removes the blob from this repository; its bytes are removed with the last repository that has it. */
export async function deleteBlob({ registry: store }: StoreExchange, name: string, digest: Digest): Promise<Answer> {
  const repository = await store.repository(name);
  const blob = requireBlob(repository, name, digest);
  if (repository !== undefined) await store.removeBlob(repository, blob);
  return { status: 202 };
}

function requireBlob(repository: ServedRepository | undefined, name: string, digest: Digest): StoredContent {
  const blob = repository?.blob(digest);
  if (blob !== undefined) return blob;
  throw unknown(name, digest);
}

function unknown(name: string, digest: Digest): Refusal {
  return new Refusal(404, "BLOB_UNKNOWN", `repository ${name} has no blob ${digest}`);
}

function blobAnswer(
  headers: { readonly range?: string | undefined; readonly "if-range"?: string | undefined },
  blob: OpenBlob,
): Answer {
  const { digest, size } = blob;
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
    body: { blob, start, end },
  };
}
