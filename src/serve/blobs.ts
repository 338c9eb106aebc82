import type { IncomingMessage } from "node:http";
import type { ByteRange } from "../content/contracts.ts";
import type { Digest } from "../oci/digest.ts";
import { type Answer, unchangedAnswer } from "./answer.ts";
import { parseByteRange } from "./conditions/byte-range.ts";
import { isUnchanged } from "./conditions/is-unchanged.ts";
import type { OpenBlob, ServedRepository, StoredContent } from "./content/served-registry.ts";
import { type Exchange, namespaceOf, type StoreExchange } from "./exchange.ts";
import { Refusal } from "./refusal.ts";
import { contentUnknown } from "./require-repository.ts";
import { startedBlob } from "./sending/started-blob.ts";

/**
 * GET and HEAD: only under repositories that have the blob (security case S-01). A blob that is damaged is absent; in a
 * store, a push brings it again.
 */
export async function readBlob({ request, query, registry }: Exchange, name: string, digest: Digest): Promise<Answer> {
  const repository = await registry.repository(name, namespaceOf(query));
  const known = requireBlob(repository, name, digest);
  const blob = await registry.openBlob(known);
  if (blob === undefined) throw blobUnknown(repository, name, digest);
  try {
    return await blobAnswer(request, blob);
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
  throw blobUnknown(repository, name, digest);
}

function blobUnknown(repository: ServedRepository | undefined, name: string, digest: Digest): Refusal {
  return contentUnknown("BLOB_UNKNOWN", name, `blob ${digest}`, repository?.lack(digest));
}

async function blobAnswer(request: IncomingMessage, blob: OpenBlob): Promise<Answer> {
  const { digest, size } = blob;
  const { headers, method } = request;
  const etag = `"${digest}"`;
  const common = {
    "content-type": "application/octet-stream",
    "accept-ranges": "bytes",
    "docker-content-digest": digest,
    etag,
  };
  if (isUnchanged(headers, etag)) {
    await blob.close();
    return unchangedAnswer(common);
  }
  const isSame = headers["if-range"] === undefined || headers["if-range"] === etag;
  const range = isSame ? parseByteRange(headers.range, size) : "whole";
  if (range === "unsatisfiable") {
    throw new Refusal(416, "SIZE_INVALID", `range ${headers.range ?? ""} of a blob of ${size} bytes`, {
      headers: { "content-range": `bytes */${size}`, "accept-ranges": "bytes" },
    });
  }
  const sent: ByteRange = range === "whole" ? { start: 0, end: size } : range;
  return {
    status: range === "whole" ? 200 : 206,
    headers: range === "whole" ? common : { ...common, "content-range": `bytes ${sent.start}-${sent.end - 1}/${size}` },
    body: { blob: method === "HEAD" ? blob : await startedBlob(blob, sent, request.socket), ...sent },
  };
}
