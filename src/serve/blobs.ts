import { type FileHandle, open, stat } from "node:fs/promises";
import type { Digest } from "../oci/digest.ts";
import type { Answer } from "./answer.ts";
import { parseByteRange } from "./byte-range.ts";
import type { Exchange } from "./exchange.ts";
import type { RepositoryFolder } from "./folder/repository-folder.ts";
import { Refusal } from "./refusal.ts";

/** GET and HEAD: only under repositories that have the blob (security case S-01). */
export async function readBlob({ request, store }: Exchange, repository: string, digest: Digest): Promise<Answer> {
  requireBlob(store.repository(repository), repository, digest);
  const path = store.contentPath(digest);
  if (request.method === "HEAD") {
    const { size } = await stat(path);
    return blobAnswer(request.headers, digest, size);
  }
  const handle = await open(path, "r");
  try {
    const { size } = await handle.stat();
    const answer = blobAnswer(request.headers, digest, size, handle);
    if (answer.body === undefined) await handle.close();
    return answer;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** DELETE: removes the blob from this repository; its bytes are removed with the last repository that has it. */
export async function deleteBlob({ store }: Exchange, name: string, digest: Digest): Promise<Answer> {
  const repository = requireBlob(store.repository(name), name, digest);
  await store.removeBlob(repository, digest);
  return { status: 202 };
}

function requireBlob(repository: RepositoryFolder | undefined, name: string, digest: Digest): RepositoryFolder {
  if (repository?.hasBlob(digest)) return repository;
  throw new Refusal(404, "BLOB_UNKNOWN", `repository ${name} has no blob ${digest}`);
}

function blobAnswer(
  headers: { readonly range?: string | undefined; readonly "if-range"?: string | undefined },
  digest: Digest,
  size: number,
  handle?: FileHandle,
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
    headers: {
      ...common,
      "content-length": String(end - start),
      ...(range === "whole" ? {} : { "content-range": `bytes ${start}-${end - 1}/${size}` }),
    },
    ...(handle === undefined ? {} : { body: { handle, start, end } }),
  };
}
