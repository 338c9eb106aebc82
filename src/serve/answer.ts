import type { ServerResponse } from "node:http";
import type { Refusal } from "./refusal.ts";
import { type FileSlice, sendSlice } from "./send-slice.ts";

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | FileSlice;
}

const COMMON_HEADERS = {
  "docker-distribution-api-version": "registry/2.0",
  "x-content-type-options": "nosniff",
  // A browser must not show stored bytes as a page (security case S-07).
  "content-security-policy": "default-src 'none'",
} as const;

export function jsonAnswer(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): Answer & { readonly body: Uint8Array } {
  const body = Buffer.from(JSON.stringify(value));
  return { status, headers: { "content-type": "application/json", ...headers }, body };
}

/** The error body of the distribution specification. */
export function refusalAnswer({ status, code, message, headers, detail }: Refusal): Answer {
  const error = detail === undefined ? { code, message } : { code, message, detail };
  return jsonAnswer(status, { errors: [error] }, headers);
}

/** Sends an answer; for HEAD only its headers, which are those of GET. @returns body bytes sent. */
export async function sendAnswer(response: ServerResponse, answer: Answer, isHead: boolean): Promise<number> {
  const { status, body } = answer;
  const headers: Record<string, string> = { ...COMMON_HEADERS, ...answer.headers };
  const size = body === undefined ? 0 : "handle" in body ? body.end - body.start : body.byteLength;
  if (status !== 204) headers["content-length"] ??= String(size);
  try {
    response.writeHead(status, headers);
    if (isHead || body === undefined || size === 0) response.end();
    else if ("handle" in body) await sendSlice(body, response);
    else response.end(body);
  } finally {
    if (body !== undefined && "handle" in body) await body.handle.close();
  }
  return isHead ? 0 : size;
}
