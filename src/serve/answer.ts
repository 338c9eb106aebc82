import type { IncomingMessage, ServerResponse } from "node:http";
import { setImmediate } from "node:timers/promises";
import { deferred } from "../util/promises.ts";
import type { Refusal } from "./refusal.ts";
import { type BlobBody, type SentAnswer, sendBlob } from "./sending/send-blob.ts";

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | BlobBody;
}

const DRAIN_MS = 1000;

const COMMON_HEADERS = {
  "docker-distribution-api-version": "registry/2.0",
  "x-content-type-options": "nosniff",
  // A browser must not show stored bytes as a page (security case S-07).
  "content-security-policy": "sandbox; default-src 'none'",
} as const;

export function jsonAnswer(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): Answer & { readonly body: Uint8Array } {
  const body = Buffer.from(JSON.stringify(value));
  return { status, headers: { "content-type": "application/json", ...headers }, body };
}

/** Status 304. @param headers of the answer that the client has. */
export function unchangedAnswer({ "content-type": _, ...headers }: Readonly<Record<string, string>>): Answer {
  return { status: 304, headers };
}

/** The error body of the distribution specification. */
export function refusalAnswer({ status, code, message, headers, detail }: Refusal): Answer {
  const error = detail === undefined ? { code, message } : { code, message, detail };
  return jsonAnswer(status, { errors: [error] }, headers);
}

/**
 * Sends an answer; for HEAD only its headers, which are those of GET. If the client is still sending its body, no one will
 * read that: the connection ends after the answer, but so that the client can read the answer first.
 */
export async function sendAnswer(response: ServerResponse, answer: Answer, isHead: boolean): Promise<SentAnswer> {
  const { status, body } = answer;
  const [bytes, part] = body !== undefined && "blob" in body ? [undefined, body] : [body, undefined];
  try {
    // A short body has arrived together with its head, and is parsed by then.
    if (!response.req.complete) await setImmediate();
    const isEarly = !response.req.complete;
    const headers: Record<string, string> = { ...COMMON_HEADERS, ...answer.headers };
    if (isEarly) headers["connection"] = "close";
    const size = part === undefined ? (bytes?.byteLength ?? 0) : part.end - part.start;
    if (status !== 204 && status !== 304) headers["content-length"] ??= String(size);
    response.writeHead(status, headers);
    if (part !== undefined && !isHead && size > 0) return await sendBlob(part, response);
    if (bytes !== undefined && !isHead) response.write(bytes);
    else response.flushHeaders();
    if (isEarly) await drain(response.req);
    response.end();
    return { sentBytes: isHead ? 0 : size, isCut: false };
  } catch (fault) {
    response.destroy();
    return { sentBytes: 0, isCut: true, fault };
  } finally {
    // Its bytes are sent, or the connection is cut: the client has nothing from an error of closing.
    await part?.blob.close().catch(() => undefined);
  }
}

/**
 * Reads and drops a body for at most a second. A connection that is closed with unread bytes in it is reset, and then many
 * clients see the reset and not the answer.
 */
async function drain(request: IncomingMessage): Promise<void> {
  const ended = deferred<void>();
  const timer = setTimeout(ended.resolve, DRAIN_MS);
  for (const event of ["end", "close", "error"]) request.once(event, () => ended.resolve());
  if (request.destroyed) ended.resolve();
  request.resume();
  await ended.promise;
  clearTimeout(timer);
}
