import { createReadStream } from "node:fs";
import type { IncomingMessage } from "node:http";
import { type BlobHash, createBlobHash } from "../../content/blob-hash.ts";
import { type Digest, type DigestAlgorithm, digestAlgorithm } from "../../oci/digest.ts";
import { createFile, discardFile, openForUpdate } from "../../util/disk.ts";
import { errorCode } from "../../util/error-code.ts";
import { ClientGoneError } from "../content/client-gone-error.ts";
import { UploadWriter } from "./upload-writer.ts";

/** An upload: bytes are written and hashed as they arrive, so that closing it reads nothing. */
export class UploadSession {
  readonly id: string;
  readonly repository: string;
  readonly path: string;
  /** Bytes on disk and in the hash. */
  size = 0;
  /** The request that currently changes the session. */
  writer: IncomingMessage | undefined;
  /** Milliseconds of the table's clock. */
  lastUse = 0;
  #algorithm: DigestAlgorithm;
  #hash: BlobHash | undefined;

  private constructor(id: string, repository: string, path: string, algorithm: DigestAlgorithm) {
    this.id = id;
    this.repository = repository;
    this.path = path;
    this.#algorithm = algorithm;
  }

  static async create(
    { id, path }: { readonly id: string; readonly path: string },
    repository: string,
    algorithm: DigestAlgorithm,
  ): Promise<UploadSession> {
    const file = await createFile(path, 0o600);
    await file.close();
    return new UploadSession(id, repository, path, algorithm);
  }

  /** A client that sends the digest with the last request may have sent no byte before. */
  expect(digest: Digest): void {
    if (this.#hash === undefined) this.#algorithm = digestAlgorithm(digest);
  }

  /**
   * Appends a request's body, at most `limit` bytes of it.
   *
   * @returns bytes taken; `limit + 1` if there were more
   * @throws ClientGoneError when the body ends early: received bytes are kept, and the client may ask where to resume. Any other error leaves the session unusable.
   */
  async append(body: IncomingMessage, limit: number): Promise<number> {
    const length = Number(body.headers["content-length"] ?? Number.POSITIVE_INFINITY);
    if (length === 0) return 0;
    this.#hash ??= createBlobHash(this.#algorithm, this.size + length);
    const file = await openForUpdate(this.path);
    try {
      const writer = new UploadWriter(file, this.#hash, this.size, length, bytes => {
        this.size += bytes;
      });
      return await copyBody(body, limit, writer);
    } finally {
      await file.close();
    }
  }

  /** Syncs the file. @returns the digest of all bytes in the algorithm of `digest`; the session takes no more. */
  async seal(digest: Digest): Promise<Digest> {
    const algorithm = digestAlgorithm(digest);
    const isHashed = this.#algorithm === algorithm;
    const hash = isHashed && this.#hash !== undefined ? this.#hash : createBlobHash(algorithm, this.size);
    this.#hash = isHashed ? undefined : this.#hash;
    // The client did not announce that it uses another algorithm.
    if (!isHashed) for await (const chunk of createReadStream(this.path)) await hash.update(chunk as Uint8Array);
    const file = await openForUpdate(this.path);
    try {
      const [found] = await Promise.all([hash.digest(), file.sync()]);
      return found;
    } finally {
      await file.close();
    }
  }

  async discard(): Promise<void> {
    await this.#hash?.drop();
    this.#hash = undefined;
    await discardFile(this.path);
  }
}

/** Reading also fails with ECONNRESET after all bytes have arrived, if the client does not wait for an answer. */
export function isClientGone(request: IncomingMessage, error: unknown): boolean {
  return (request.destroyed && !request.complete) || errorCode(error) === "ECONNRESET";
}

async function copyBody(body: IncomingMessage, limit: number, writer: UploadWriter): Promise<number> {
  let taken = 0;
  let gone: unknown;
  try {
    for await (const data of body.iterator({ destroyOnReturn: false })) {
      const part = (data as Uint8Array).subarray(0, limit - taken);
      await writer.write(part);
      taken += part.length;
      if (part.length < (data as Uint8Array).length) {
        taken = limit + 1;
        break;
      }
    }
  } catch (error) {
    if (!isClientGone(body, error)) {
      await writer.end().catch(() => undefined);
      throw error;
    }
    gone = error;
  }
  await writer.end();
  if (gone !== undefined) throw new ClientGoneError({ cause: gone });
  return taken;
}
