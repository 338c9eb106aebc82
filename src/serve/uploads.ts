import { type Digest, type DigestAlgorithm, digestAlgorithm } from "../oci/digest.ts";
import { quote } from "../util/format.ts";
import type { Answer } from "./answer.ts";
import { parseChunkRange } from "./conditions/byte-range.ts";
import type { StoreExchange } from "./exchange.ts";
import { Refusal } from "./refusal.ts";
import { checkDigest, checkName } from "./routes.ts";
import type { UploadSession } from "./uploads/upload-session.ts";

/** POST: a mount, a whole blob in one request, or a new session. */
export async function startUpload(exchange: StoreExchange, repository: string): Promise<Answer> {
  const { query, request, registry: store, uploads } = exchange;
  const mount = query.get("mount");
  if (mount !== null) {
    const digest = checkDigest(mount);
    const from = query.get("from");
    if (from !== null) checkName(from);
    // All users may read every repository, so a mount without a source reveals nothing.
    const isMounted = await store.mountBlob(repository, digest, lender => from === null || lender.name === from);
    if (isMounted) return blobCreated(repository, digest);
  }
  const whole = query.get("digest");
  if (whole === null || mount !== null) {
    return sessionAnswer(202, await uploads.create(repository, requestedAlgorithm(query)));
  }
  const digest = checkDigest(whole);
  const session = await uploads.createLoose(repository, digestAlgorithm(digest));
  try {
    await session.append(request, Number.POSITIVE_INFINITY);
    return await closeUpload(exchange, session, digest);
  } finally {
    await session.discard();
  }
}

/** PATCH: one chunk at its offset, or a stream without Content-Range. */
export async function continueUpload(exchange: StoreExchange, repository: string, id: string): Promise<Answer> {
  return await exchange.uploads.change(id, repository, exchange.request, async session => {
    await takeBody(exchange, session);
    return sessionAnswer(202, session);
  });
}

/** PUT: the last bytes, if any, and the digest that decides. */
export async function finishUpload(exchange: StoreExchange, repository: string, id: string): Promise<Answer> {
  return await exchange.uploads.change(id, repository, exchange.request, async session => {
    const digest = checkDigest(exchange.query.get("digest") ?? "");
    session.expect(digest);
    await takeBody(exchange, session);
    try {
      return await closeUpload(exchange, session, digest);
    } finally {
      await exchange.uploads.end(session);
    }
  });
}

/** GET: the state of the upload. */
export function uploadStatus({ uploads }: StoreExchange, repository: string, id: string): Answer {
  return sessionAnswer(204, uploads.get(id, repository));
}

/** DELETE: cancel the upload. */
export async function cancelUpload(exchange: StoreExchange, repository: string, id: string): Promise<Answer> {
  return await exchange.uploads.change(id, repository, exchange.request, async session => {
    await exchange.uploads.end(session);
    return { status: 204 };
  });
}

async function takeBody({ request }: StoreExchange, session: UploadSession): Promise<void> {
  const header = request.headers["content-range"];
  if (header === undefined) {
    await session.append(request, Number.POSITIVE_INFINITY);
    return;
  }
  const range = parseChunkRange(header);
  if (range === undefined) {
    throw new Refusal(400, "BLOB_UPLOAD_INVALID", `Content-Range ${quote(header)}, expected <first>-<last>`);
  }
  const expected = range.last - range.first + 1;
  if (range.first !== session.size || expected < 1) {
    throw new Refusal(416, "BLOB_UPLOAD_INVALID", `chunk ${header}, expected one that starts at ${session.size}`, {
      headers: sessionHeaders(session),
    });
  }
  const length = request.headers["content-length"];
  const taken =
    length === undefined || Number(length) === expected ? await session.append(request, expected) : Number(length);
  if (taken === expected) return;
  throw new Refusal(
    400,
    "SIZE_INVALID",
    `chunk ${header} with ${taken > expected ? "more" : "fewer"} bytes, expected ${expected}`,
    { headers: sessionHeaders(session) },
  );
}

async function closeUpload(
  { registry: store }: StoreExchange,
  session: UploadSession,
  digest: Digest,
): Promise<Answer> {
  const found = await session.seal(digest);
  if (found !== digest) {
    throw new Refusal(400, "DIGEST_INVALID", `blob of ${session.size} bytes is ${found}, expected ${digest}`);
  }
  await store.addBlob(session.repository, { digest, size: session.size }, session.path);
  return blobCreated(session.repository, digest);
}

function requestedAlgorithm(query: URLSearchParams): DigestAlgorithm {
  const algorithm = query.get("digest-algorithm") ?? "sha256";
  if (algorithm === "sha256" || algorithm === "sha512") return algorithm;
  throw new Refusal(400, "DIGEST_INVALID", `digest algorithm ${quote(algorithm)}, expected sha256 or sha512`);
}

function blobCreated(repository: string, digest: Digest): Answer {
  const headers = { location: `/v2/${repository}/blobs/${digest}`, "docker-content-digest": digest };
  return { status: 201, headers };
}

function sessionAnswer(status: 202 | 204, session: UploadSession): Answer {
  return { status, headers: sessionHeaders(session) };
}

function sessionHeaders({ id, repository, size }: UploadSession): Record<string, string> {
  return {
    location: `/v2/${repository}/blobs/uploads/${id}`,
    "docker-upload-uuid": id,
    // An empty session has no last byte; other registries send 0-0, too.
    range: `0-${Math.max(0, size - 1)}`,
  };
}
