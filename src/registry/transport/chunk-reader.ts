/** A size with its extensions, or all trailers together. */
const MAX_LINE_BYTES = 16 * 1024;
const CRLF = Buffer.from("\r\n");

/** Reads a body in chunks as it arrives (RFC 9112, section 7.1). Extensions and trailers are skipped. */
export class ChunkReader {
  readonly #onPart: (part: Uint8Array) => void;
  /** What comes next: a size, bytes of a chunk, the line end after them, trailers. */
  #state: "size" | "bytes" | "end" | "trailers" = "size";
  #line: Buffer = Buffer.alloc(0);
  #trailerBytes = 0;
  #left = 0;
  isDone = false;

  constructor(onPart: (part: Uint8Array) => void) {
    this.#onPart = onPart;
  }

  /** @returns how many of the bytes belong to the body. @throws Error with a code "HPE_…". */
  take(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length && !this.isDone) {
      if (this.#state === "bytes") {
        const part = bytes.subarray(at, at + this.#left);
        this.#left -= part.length;
        if (this.#left === 0) this.#state = "end";
        at += part.length;
        this.#onPart(part);
      } else at += this.#takeLine(bytes.subarray(at));
    }
    return at;
  }

  #takeLine(bytes: Uint8Array): number {
    const before = this.#line.length;
    const fresh = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, MAX_LINE_BYTES + 2));
    // A read may have thousands of lines: it is not copied for each of them.
    const all = before === 0 ? fresh : Buffer.concat([this.#line, fresh]);
    const end = all.indexOf(CRLF);
    if ((end < 0 ? all.length : end) > MAX_LINE_BYTES) throw malformed("chunk", all);
    if (end < 0) {
      this.#line = Buffer.from(all);
      // A line that can be none any more is not waited for.
      if (this.#state === "end" && !CRLF.subarray(0, all.length).equals(all)) throw malformed("chunk", all);
      return all.length - before;
    }
    this.#line = Buffer.alloc(0);
    this.#endLine(all.toString("latin1", 0, end));
    return end + 2 - before;
  }

  #endLine(line: string): void {
    if (this.#state === "end") {
      if (line !== "") throw malformed("chunk", Buffer.from(line, "latin1"));
      this.#state = "size";
    } else if (this.#state === "size") {
      const [, digits] = /^([0-9a-fA-F]{1,12})[ \t]*(?:;[^\r\n\0]*)?$/.exec(line) ?? [];
      if (digits === undefined) throw malformed("chunk", Buffer.from(line, "latin1"));
      this.#left = Number.parseInt(digits, 16);
      this.#state = this.#left === 0 ? "trailers" : "bytes";
    } else {
      this.#trailerBytes += line.length;
      if (this.#trailerBytes > MAX_LINE_BYTES) throw malformed("trailer", new Uint8Array());
      this.isDone = line === "";
    }
  }
}

/** For what is no HTTP/1.1, with a code as Node's parser gives them, and the bytes. */
export function malformed(what: string, bytes: Uint8Array, cause?: unknown): Error {
  const rawPacket = Buffer.from(bytes.subarray(0, 4096));
  return Object.assign(new Error(`malformed ${what} of an answer`, { cause }), {
    code: "HPE_INVALID_ANSWER",
    rawPacket,
  });
}
