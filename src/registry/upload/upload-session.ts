import { ArchiveError, IntegrityError, RegistryError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { quote } from "../../util/format.ts";
import { headBlob, isWhole } from "../api/blobs.ts";
import type { Repository, RepositoryCall } from "../client/repository.ts";
import { headerList, headerText } from "../http/headers.ts";
import { isRateLimit } from "../http/network-error.ts";
import { withDigest } from "../origin/redirect-policy.ts";
import type { TransportResponse } from "../transport/transport.ts";
import { isLost, isSessionFault } from "./session-fault.ts";
import { cancelUpload, sessionUrl, startUpload } from "./start-upload.ts";
import type { UploadRecord } from "./upload-journal.ts";

/** What all sessions of one upload share. */
export interface UploadContext {
  readonly repository: Repository;
  /** As messages name it, for example `blob sha256:…`. */
  readonly what: string;
  /** Where a later run finds the upload. */
  readonly record?: UploadRecord | undefined;
  /** True when the body cannot be read again. */
  readonly isOneShot?: boolean;
  readonly signal?: AbortSignal | undefined;
}

const OCTETS = { "content-type": "application/octet-stream" };

/** An upload session of a registry (distribution specification, "Pushing blobs"). */
export class UploadSession {
  readonly context: UploadContext;
  /** Bytes that the registry has for certain. */
  offset = 0;
  /** Left by an earlier run, and this run has sent nothing to it yet. */
  isResumed = false;
  #url: URL;

  constructor(context: UploadContext, url: URL, offset = 0) {
    this.context = context;
    this.#url = url;
    this.offset = offset;
  }

  /** A new session, noted for a later run. @param opened the URL of a session that is open already. */
  static async open(context: UploadContext, opened?: URL): Promise<UploadSession> {
    const { repository, what, signal } = context;
    const start = async (): Promise<URL> => await startUpload(repository, what, signal);
    const session = new UploadSession(context, opened ?? (await repository.retrying(what, signal, start)));
    await session.#save();
    return session;
  }

  /** The session that an earlier run left; undefined when nothing of it can be used. @param size of the blob, if known. */
  static async adopt(
    context: UploadContext,
    size: number = Number.POSITIVE_INFINITY,
  ): Promise<UploadSession | undefined> {
    const { repository, what, signal, record } = context;
    if (record?.saved === undefined) return undefined;
    const session = new UploadSession(context, record.saved.url, record.saved.offset);
    session.isResumed = true;
    const isKnown = await repository.retrying(what, signal, async () => await session.findKept());
    if (isKnown && session.offset <= size) {
      record.note(`${repository} has ${session.offset} bytes of ${what} from an earlier run; uploading the rest`);
      await session.#save();
      return session;
    }
    await record.drop();
    await session.cancel();
    record.note(`Nothing of the earlier upload of ${what} can be reused; starting over`);
    return undefined;
  }

  /** True where a PATCH without Content-Range appends at any offset: distribution, which its session URLs give away. */
  get appends(): boolean {
    return this.#url.searchParams.has("_state");
  }

  /** Continues in a new session; one attempt. The caller cancels the old one. */
  async restart(): Promise<void> {
    const { repository, what, signal } = this.context;
    this.#url = await startUpload(repository, what, signal);
    this.offset = 0;
    await this.#save();
  }

  /** Sends the whole blob, and closes the session; one attempt. */
  async put(digest: Digest, size: number, body: () => AsyncIterable<Uint8Array>): Promise<void> {
    const response = await this.#request("PUT", {
      url: withDigest(this.#url, digest),
      headers: { ...OCTETS, "content-length": String(size) },
      body,
      accept: [201, 204],
    });
    this.#checkDigest(response, digest);
  }

  /** Sends a chunk with its Content-Range; one attempt. */
  async sendChunk(chunk: Uint8Array): Promise<void> {
    const end = this.offset + chunk.length;
    const response = await this.#request("PATCH", {
      headers: {
        ...OCTETS,
        "content-length": String(chunk.length),
        "content-range": `${this.offset}-${end - 1}`,
      },
      body: () => chunk,
      accept: [201, 202, 204],
    });
    const taken = rangeEnd(response);
    // Some registries take fewer bytes than they get. Others repeat the end of the first chunk, and have all of them.
    await this.advance(taken > this.offset && taken < end ? taken : end);
  }

  /**
   * Sends bytes of any number without Content-Range, as docker push does; one attempt. `advance` is up to the caller.
   *
   * @param body called again when a 401 makes the client send it again.
   */
  async sendStream(
    body: () => AsyncIterable<Uint8Array>,
    signal: AbortSignal | undefined = this.context.signal,
  ): Promise<void> {
    let isSent = false;
    async function* watched(): AsyncGenerator<Uint8Array> {
      isSent = false;
      yield* body();
      isSent = true;
    }
    const response = await this.#request("PATCH", { headers: OCTETS, body: watched, accept: [201, 202, 204], signal });
    if (isSent) return;
    const { repository, what } = this.context;
    throw new RegistryError(
      `Cannot push ${what} to ${repository}: status ${response.status} before the last byte, expected it after`,
      { status: response.status, transient: true },
    );
  }

  /** Notes that the registry has everything before `offset`. */
  async advance(offset: number): Promise<void> {
    this.offset = offset;
    this.isResumed = false;
    await this.#save();
  }

  /** Asks for the acknowledged bytes. A refusal is returned, unless the registry limits requests. */
  async askOffset(): Promise<{ readonly offset?: number; readonly refusal?: RegistryError }> {
    try {
      const response = await this.#request("GET", { accept: [204, 202, 200] });
      return headerText(response.headers, "range") === undefined ? {} : { offset: rangeEnd(response) };
    } catch (error) {
      if (!(error instanceof RegistryError) || isRateLimit(error)) throw error;
      return { refusal: error };
    }
  }

  /** Whether the registry still has bytes of the upload; `offset` then says how many. */
  async findKept(): Promise<boolean> {
    const { offset = 0 } = await this.askOffset();
    if (offset > 0) this.offset = offset;
    return offset > 0;
  }

  /**
   * Ends the upload: an empty PUT that names the digest.
   *
   * @throws RegistryError, for which `isSessionFault` is true when the registry has lost the upload.
   */
  async close(digest: Digest): Promise<void> {
    const { repository, what, record, signal } = this.context;
    try {
      const url = withDigest(this.#url, digest);
      const headers = { "content-length": "0" };
      const response = await repository.call({ what, method: "PUT", url, headers, accept: [201, 204], signal });
      this.#checkDigest(response, digest);
    } catch (error) {
      signal?.throwIfAborted();
      if (!isSessionFault(error)) throw error;
      // If only the answer to an earlier attempt was lost, the session is gone and the blob is there.
      const head = await headBlob(repository, digest, signal).catch(() => undefined);
      if (!isWhole(head, this.offset)) throw isLost(error) ? this.lost(error) : error;
    }
    await record?.drop();
  }

  /** After a failure: cancels the session, unless a later run can resume it. */
  async leave(error: unknown): Promise<void> {
    const { record, signal } = this.context;
    if (record !== undefined && isResumable(error, signal)) return;
    await record?.drop();
    await this.cancel();
  }

  async cancel(): Promise<void> {
    const { repository, signal } = this.context;
    await cancelUpload(repository, this.#url, signal);
  }

  /** @param cause the answer that says so; the error has its status and codes. */
  lost(cause?: RegistryError): RegistryError {
    const { repository, what, isOneShot = false } = this.context;
    const { status = 404, codes = [] } = cause ?? {};
    const advice = isOneShot ? " Pushing from a file is safer than pushing from a pipe." : "";
    return new RegistryError(
      `Cannot push ${what} to ${repository}: the registry lost the upload after ${this.offset} bytes, expected to resume it`,
      { status, codes, cause, hint: `Run the command again.${advice}` },
    );
  }

  async #request(
    method: "PUT" | "PATCH" | "GET",
    request: Omit<RepositoryCall, "what" | "method" | "url"> & Partial<Pick<RepositoryCall, "url">>,
  ): Promise<TransportResponse> {
    const { repository, what, signal } = this.context;
    const response = await repository.callOnce({ what, method, url: this.#url, signal, ...request });
    // A session may move with every answer; that of the closing PUT names the blob.
    if (method !== "PUT" && headerText(response.headers, "location") !== undefined) {
      this.#url = sessionUrl(repository, response);
    }
    return response;
  }

  async #save(): Promise<void> {
    await this.context.record?.save({ url: this.#url, offset: this.offset });
  }

  #checkDigest(response: TransportResponse, digest: Digest): void {
    const found = headerList(response.headers, "docker-content-digest").find(named => named !== digest);
    if (found === undefined) return;
    throw new IntegrityError(
      `Cannot push blob to ${this.context.repository}: registry stored ${quote(found)}, expected ${digest}`,
      { hint: "A proxy on the way may alter bodies; try once without it." },
    );
  }
}

/** What was sent is right, as far as known, and the registry has not refused it. */
function isResumable(error: unknown, signal: AbortSignal | undefined): boolean {
  if (error instanceof IntegrityError || error instanceof ArchiveError) return false;
  if (signal?.aborted === true) return true;
  return !(error instanceof RegistryError) || error.transient;
}

/** Bytes that an answer acknowledges; 0 for "0-0", which registries also send for an empty session. */
function rangeEnd(response: TransportResponse): number {
  const last = /^(?:bytes=)?0-(\d+)$/.exec(headerText(response.headers, "range") ?? "")?.[1];
  return last === undefined || last === "0" ? 0 : Number(last) + 1;
}
