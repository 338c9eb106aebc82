import type { IncomingHttpHeaders } from "node:http";

/** Which of the test's servers got a request. "storage" is where a registry redirects to. */
export type V1Role = "index" | "registry" | "storage";

export interface V1Seen {
  readonly server: V1Role;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  body: Buffer;
  /** Of the answer; 0 if the connection was reset. */
  status: number;
}

export interface V1Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: Buffer;
  /** Sends the body in chunks without Content-Length. */
  readonly isChunked?: boolean;
  /** Closes the connection after these body bytes. */
  readonly cutAfter?: number;
}

export function jsonAnswer(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string | string[]>> = {},
): V1Answer {
  const body = Buffer.from(JSON.stringify(value));
  return { status, headers: { "content-type": "application/json", ...headers }, body };
}

export function refusal(status: number, error: string): V1Answer {
  return jsonAnswer(status, { error });
}

export function bytesAnswer(
  status: number,
  body: Uint8Array,
  headers: Readonly<Record<string, string | string[]>> = {},
): V1Answer {
  return { status, headers, body: Buffer.from(body) };
}

/** The JSON of a request's body; undefined if it is none. */
export function jsonBody({ body }: V1Seen): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}
