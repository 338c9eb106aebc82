import { ChunkReader, malformed } from "./chunk-reader.ts";
import { parseResponseHead, type ResponseHead } from "./response-head.ts";

/** Line and headers of an answer; more is an overflow. */
const MAX_HEAD_BYTES = 32 * 1024;
/** A request that is on its way when the server closes the connection is lost. */
const WAY_MS = 1000;
const START = "HTTP/1.";
/** A registry that is busy with a big blob may say so every few seconds. */
const MAX_INTERIM_ANSWERS = 256;

export interface AnswerEvents {
  /** Called with the head of the answer itself, not of interim answers (1xx). */
  onHead(head: ResponseHead): void;
  /** Called after each interim answer. */
  onInterim(): void;
  /** Called with bytes of the body, which are valid during the call. */
  onPart(part: Uint8Array): void;
}

/**
 * Reads one HTTP/1.1 answer as it arrives (RFC 9112, section 6): a body of announced length, in chunks, up to the end of the
 * connection, or none. It takes nothing that two readers may understand differently.
 */
export class AnswerReader {
  readonly #isHead: boolean;
  readonly #events: AnswerEvents;
  /** Of the head, until it is complete. */
  #pending: Uint8Array | undefined;
  #interimAnswers = 0;
  #head: ResponseHead | undefined;
  #chunks: ChunkReader | undefined;
  /** Bytes of the body that are still to come; Infinity up to the end of the connection. */
  #left = 0;
  /** All of the answer is there. */
  isDone = false;

  /** @param isHead the request was a HEAD: its answer has no body, whatever it announces. */
  constructor(isHead: boolean, events: AnswerEvents) {
    this.#isHead = isHead;
    this.#events = events;
  }

  /** Whether some of a head is there, and the rest is not. */
  get isInHead(): boolean {
    return this.#pending !== undefined;
  }

  /** Whether the connection can carry another request when the answer is done. */
  get keepsConnection(): boolean {
    return this.isDone && this.#left === 0 && this.#head?.keepAlive === true;
  }

  /** Milliseconds for which the server keeps an idle connection, with some of them left for the way; Infinity if it says nothing. */
  get keepMs(): number {
    const [, seconds] =
      /^timeout=(\d{1,9})(?:$|[,\s])/i.exec(this.#head?.headers.get("keep-alive")?.join(", ") ?? "") ?? [];
    if (seconds === undefined) return Number.POSITIVE_INFINITY;
    return Math.max(Number(seconds) * 1000 - WAY_MS, Number(seconds) * 500);
  }

  /**
   * @returns how many of the bytes belong to the answer.
   * @throws Error with a code "HPE_…", as Node's own parser has them, for what is no answer.
   */
  take(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length && !this.isDone) {
      at += this.#head === undefined ? this.#takeHead(bytes.subarray(at)) : this.#takeBody(bytes.subarray(at));
    }
    return at;
  }

  /** The connection has ended. @returns whether the answer is complete. */
  end(): boolean {
    if (this.#left === Number.POSITIVE_INFINITY) this.isDone = true;
    return this.isDone;
  }

  #takeHead(bytes: Uint8Array): number {
    const before = this.#pending?.length ?? 0;
    const all = before === 0 ? bytes : Buffer.concat([this.#pending ?? bytes, bytes]);
    const text = Buffer.from(all.buffer, all.byteOffset, Math.min(all.length, MAX_HEAD_BYTES + 4)).toString("latin1");
    const end = text.indexOf("\r\n\r\n");
    if (!text.startsWith(START.slice(0, text.length)) || (end < 0 && hasBareLine(text))) throw malformed("head", all);
    if (end > MAX_HEAD_BYTES || (end < 0 && all.length > MAX_HEAD_BYTES)) {
      throw Object.assign(new Error("headers above the limit"), { code: "HPE_HEADER_OVERFLOW" });
    }
    if (end < 0) {
      this.#pending = Buffer.from(all);
      return bytes.length;
    }
    this.#pending = undefined;
    this.#begin(headOf(all, end));
    return end + 4 - before;
  }

  #begin(head: ResponseHead): void {
    const { status } = head;
    if (status === 101) throw Object.assign(new Error("status 101"), { code: "EUPGRADE" });
    if (status < 200) {
      this.#interimAnswers += 1;
      if (this.#interimAnswers > MAX_INTERIM_ANSWERS)
        throw Object.assign(new Error("too many interim answers"), { code: "EINTERIM" });
      this.#events.onInterim();
      return;
    }
    const hasBody = !this.#isHead && status !== 204 && status !== 304;
    const length = bodyLength(head);
    this.#head = head;
    if (hasBody && length === "chunked") this.#chunks = new ChunkReader(part => this.#events.onPart(part));
    else if (hasBody && length !== "chunked") this.#left = length;
    this.isDone = this.#chunks === undefined && this.#left === 0;
    this.#events.onHead(head);
  }

  #takeBody(bytes: Uint8Array): number {
    if (this.#chunks !== undefined) {
      const taken = this.#chunks.take(bytes);
      this.isDone = this.#chunks.isDone;
      return taken;
    }
    const part = bytes.length <= this.#left ? bytes : bytes.subarray(0, this.#left);
    this.#left -= part.length;
    this.isDone = this.#left === 0;
    this.#events.onPart(part);
    return part.length;
  }
}

function headOf(bytes: Uint8Array, end: number): ResponseHead {
  try {
    return parseResponseHead(bytes.subarray(0, end + 2));
  } catch (cause) {
    throw malformed("head", bytes, cause);
  }
}

/** @throws Error for lengths that contradict each other, or the chunks (RFC 9112, section 6.3). */
function bodyLength({ headers }: ResponseHead): number | "chunked" {
  const encodings = headers.get("transfer-encoding") ?? [];
  const lengths = headers.get("content-length") ?? [];
  const [length] = lengths;
  if (encodings.length > 0) {
    // No request allows another one; what two readers may understand differently is refused.
    if (length !== undefined || encodings.length > 1 || encodings[0]?.toLowerCase() !== "chunked")
      throw malformed("length", new Uint8Array());
    return "chunked";
  }
  if (length === undefined) return Number.POSITIVE_INFINITY;
  if (lengths.length > 1 || !/^\d{1,15}$/.test(length)) throw malformed("length", new Uint8Array());
  return Number(length);
}

/** Whether a line ends without CR: no head ends after it. */
function hasBareLine(text: string): boolean {
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) if (text[at - 1] !== "\r") return true;
  return false;
}
