import { ImgpackError, IntegrityError, NetworkError } from "../../../errors.ts";
import { headerText } from "../../http/headers.ts";
import { subject } from "../../http/network-error.ts";
import type { TransportResponse } from "../../transport/transport.ts";
import { failed, type V1Call, type V1Origin } from "../v1-call.ts";
import { answerTooLong } from "../v1-refusal.ts";
import type { V1Layer } from "../v1-store.ts";

interface OpenAnswer {
  readonly response: TransportResponse;
  readonly origin: V1Origin;
}

export interface LayerRequest {
  readonly call: V1Call;
  /** `registry/namespace/name`, for messages. */
  readonly where: string;
  /** Bytes, as X-Docker-Size states them; they may be wrong. */
  readonly statedSize?: number | undefined;
  /** Bytes of a layer whose end no header states; default 128 GiB. */
  readonly maxBytes?: number | undefined;
  readonly retrying: <T>(signal: AbortSignal | undefined, task: () => Promise<T>) => Promise<T>;
  readonly open: (call: V1Call) => Promise<OpenAnswer>;
}

/** Of one reading: a line that breaks each time after some bytes must not hold a run for ever. */
const MAX_RESUMES = 100;
/** Of one reading, from its first byte: each costs all that came before. */
const MAX_REREADS = 10;
/** Docker gave a layer 10 GiB in the time of this protocol. A body without an end must not fill the disk of a target. */
export const MAX_LAYER_BYTES: number = 128 * 1024 ** 3;

/** Requests a layer, and leaves its body unread. @throws NotFoundError, AuthError, NetworkError, RegistryError. */
export async function openLayer(request: LayerRequest, signal?: AbortSignal): Promise<V1Layer> {
  const { call, retrying, open } = request;
  const first = await retrying(signal, async () => await open({ ...call, signal }));
  return new LayerBody(request, first);
}

class LayerBody implements V1Layer {
  readonly size: number | undefined;
  readonly #request: LayerRequest;
  /** The answer that brought the size, until it is read. */
  #first: OpenAnswer | undefined;
  #refusesRanges = false;
  /** Where a body ended that does not say where it ends. */
  #lastEnd: number | undefined;

  constructor(request: LayerRequest, first: OpenAnswer) {
    this.#request = request;
    this.#first = first;
    this.size = lengthOf(first.response);
  }

  async *read(start = 0, signal?: AbortSignal): AsyncGenerator<Uint8Array, void> {
    let position = start;
    let parts: AsyncGenerator<Uint8Array, void> | undefined;
    let resumes = 0;
    let rereads = 0;
    const next = async (): Promise<IteratorResult<Uint8Array, void>> => {
      parts ??= this.#from(position, signal);
      try {
        return await parts.next();
      } catch (error) {
        parts = undefined;
        signal?.throwIfAborted();
        if (this.#range(position) === undefined && position > 0) rereads += 1;
        resumes += 1;
        if (resumes < MAX_RESUMES && rereads < MAX_REREADS) throw error;
        throw lasting(error);
      }
    };
    try {
      for (;;) {
        const { value, done } = await this.#request.retrying(signal, next);
        if (done === true || value === undefined) return;
        position += value.length;
        yield value;
      }
    } finally {
      await parts?.return();
    }
  }

  /** The bytes from a position on, from one answer. @throws NetworkError (transient) when it breaks off. */
  async *#from(position: number, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void> {
    const { size } = this;
    const { call, where, maxBytes = MAX_LAYER_BYTES } = this.#request;
    if (position === size && size > 0) return;
    const answer = await this.#answer(position, signal);
    const { response, origin } = answer;
    let at = await this.#startOf(response, position);
    try {
      for await (const part of response.body) {
        const skipped = Math.max(0, position - at);
        at += part.length;
        if (size !== undefined && at > size) throw this.#wrongSize(`more than ${size} bytes`);
        if (size === undefined && at > maxBytes) throw answerTooLong(call.verb, call.what, where, maxBytes);
        if (skipped < part.length) yield part.subarray(skipped);
      }
    } catch (cause) {
      throw cause instanceof ImgpackError ? cause : failed(origin, { ...call, signal }, cause);
    }
    const expected = size ?? this.#openEnd(response, at, position);
    if (at < expected) throw this.#broken(`body ends at byte ${at}`, `${expected} bytes`);
  }

  /**
   * Where a body of unknown length has to end at least. Without Content-Length and chunks, a connection that breaks looks
   * like the end: then what the registry states counts, unless the body ends at the same byte twice.
   */
  #openEnd({ headers }: TransportResponse, at: number, position: number): number {
    if (headerText(headers, "transfer-encoding") !== undefined || at === this.#lastEnd) return position;
    this.#lastEnd = at;
    return Math.max(position, this.#request.statedSize ?? 0);
  }

  async #answer(position: number, signal: AbortSignal | undefined): Promise<OpenAnswer> {
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined) {
      if (position === 0) return first;
      first.response.body.destroy(new Error("only a later part is needed"));
      await first.response.body.dump();
    }
    const range = this.#range(position);
    const { call, open } = this.#request;
    const headers = { ...call.headers, ...(range === undefined ? {} : { range: `bytes=${range.join("-")}` }) };
    return await open({ ...call, headers, accept: range === undefined ? [200] : [200, 206, 416], signal });
  }

  /**
   * First and last byte of the request that brings the bytes from a position on; undefined: all. Closed, because
   * docker-registry promises a byte too many for an open one; and never of one byte, which it refuses.
   */
  #range(position: number): readonly [first: number, last: number] | undefined {
    const { size } = this;
    if (position === 0 || size === undefined || this.#refusesRanges) return undefined;
    const first = Math.min(position, size - 2);
    return first <= 0 ? undefined : [first, size - 1];
  }

  /**
   * The byte of the layer that the body begins with: 0 if the registry ignores the range.
   *
   * @throws IntegrityError for a layer of another size; NetworkError (transient) for another range.
   */
  async #startOf(response: TransportResponse, position: number): Promise<number> {
    const { status, headers } = response;
    const range = this.#range(position);
    let fault: ImgpackError;
    if (status === 200) {
      const found = lengthOf(response);
      if (found === undefined || this.size === undefined || found === this.size) return 0;
      fault = this.#wrongSize(`${found} bytes`);
    } else {
      const found = headerText(headers, "content-range")
        ?.trim()
        .replace(/^bytes\s+/i, "");
      const wanted = range === undefined ? "" : `${range[0]}-${range[1]}`;
      if (status === 206 && range !== undefined && (found === `${wanted}/${this.size}` || found === `${wanted}/*`)) {
        return range[0];
      }
      this.#refusesRanges = true;
      fault = this.#broken(status === 206 ? "another range came" : `status ${status}`, `bytes ${wanted}`);
    }
    await response.body.dump();
    throw fault;
  }

  #broken(found: string, expected: string): NetworkError {
    const { call, where } = this.#request;
    return new NetworkError(`Cannot ${subject(call.verb, call.what, where)}: ${found}, expected ${expected}`, {
      transient: true,
    });
  }

  #wrongSize(found: string): IntegrityError {
    const { call, where } = this.#request;
    return new IntegrityError(`Cannot accept ${call.what} from ${where}: found ${found}, expected ${this.size} bytes`, {
      hint: "The registry, or a proxy in front of it, sent another layer after the transfer broke off: run the command again.",
    });
  }
}

/** Bytes of the body; undefined where they are not plainly stated. */
function lengthOf({ headers }: TransportResponse): number | undefined {
  if (headerText(headers, "transfer-encoding") !== undefined) return undefined;
  const text = headerText(headers, "content-length")?.trim() ?? "";
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}

function lasting(error: unknown): unknown {
  return error instanceof NetworkError && error.transient
    ? new NetworkError(error.message, { hint: error.hint, cause: error })
    : error;
}
