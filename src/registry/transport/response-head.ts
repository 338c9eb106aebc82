/** Status line and the headers that decide how a body is read. */
export interface ResponseHead {
  readonly status: number;
  /** Lower-case names; a header that came twice with different values has all of them. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** Bytes of the body; undefined when it is not plainly announced (absent, repeated, chunked, encoded). */
  readonly contentLength: number | undefined;
  readonly keepAlive: boolean;
}

/**
 * A strict reader of an HTTP/1.1 response head (RFC 9112): CRLF line ends, no folding, no blank before the colon.
 *
 * @param bytes the head without its closing empty line.
 * @throws Error when the head is anything else.
 */
export function parseResponseHead(bytes: Uint8Array): ResponseHead {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const lines = text.split("\r\n");
  const status = /^HTTP\/1\.([01]) ([1-5][0-9]{2})(?: [^\r\n]*)?$/.exec(lines[0] ?? "");
  if (status === null) throw new Error("the answer is not HTTP/1.1");
  const headers = new Map<string, string[]>();
  for (const line of lines.slice(1)) {
    if (line === "") continue;
    const header = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/.exec(line);
    if (header === null) throw new Error("the answer has a malformed header line");
    const name = (header[1] ?? "").toLowerCase();
    const value = header[2] ?? "";
    const known = headers.get(name);
    if (known === undefined) headers.set(name, [value]);
    else known.push(value);
  }
  const connection = (headers.get("connection") ?? []).join(",").toLowerCase();
  return {
    status: Number(status[2]),
    headers,
    contentLength: plainLength(headers),
    keepAlive: status[1] === "1" && !connection.includes("close"),
  };
}

function plainLength(headers: ReadonlyMap<string, readonly string[]>): number | undefined {
  if (headers.has("transfer-encoding")) return undefined;
  const encodings = headers.get("content-encoding") ?? [];
  if (encodings.some(encoding => encoding.toLowerCase() !== "identity")) return undefined;
  const lengths = headers.get("content-length") ?? [];
  const text = lengths[0];
  if (lengths.length !== 1 || text === undefined || !/^\d{1,16}$/.test(text)) return undefined;
  const length = Number(text);
  return Number.isSafeInteger(length) ? length : undefined;
}
