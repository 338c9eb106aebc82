import type { RateLimit } from "../http/rate-limit.ts";

const SLICE_BYTES = 32 * 1024;

/** The same bytes in slices, as fast as the rate allows. */
export async function* limited(
  body: Uint8Array | AsyncIterable<Uint8Array>,
  rate: RateLimit,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const part of body instanceof Uint8Array ? [body] : body) {
    for (let at = 0; at < part.length; at += SLICE_BYTES) {
      const slice = part.subarray(at, at + SLICE_BYTES);
      await rate.take(slice.length, signal);
      yield slice;
    }
  }
}

/** A body to send; one that fits into one slice is not delayed. */
export function limitedBody<T extends Uint8Array | AsyncIterable<Uint8Array> | undefined>(
  body: T,
  rate: RateLimit | undefined,
  signal: AbortSignal | undefined,
): T | AsyncIterable<Uint8Array> {
  const isShort = body === undefined || (body instanceof Uint8Array && body.length <= SLICE_BYTES);
  return rate === undefined || isShort ? body : limited(body, rate, signal);
}

export function isIterable(
  body: Uint8Array | AsyncIterable<Uint8Array> | undefined,
): body is AsyncIterable<Uint8Array> {
  return body !== undefined && Symbol.asyncIterator in body;
}
