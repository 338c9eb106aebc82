import type { TransportRequest } from "./exchange.ts";
import { isIterable } from "./limited-body.ts";

/** Bodies above it are sent part by part. */
export const MAX_SHORT_BODY_BYTES: number = 64 * 1024;

/** The request with its body in memory, if that is short, as its length says. @throws what the source of the body throws. */
export async function gathered(request: TransportRequest): Promise<TransportRequest> {
  const { body, headers } = request;
  const length = Number(headers["content-length"]);
  if (!isIterable(body) || !(length <= MAX_SHORT_BODY_BYTES)) return request;
  const parts: Uint8Array[] = [];
  // The memory of a part is used again for the next one.
  for await (const part of body) parts.push(Buffer.from(part));
  const whole = Buffer.concat(parts);
  return { ...request, body: whole.length === length ? whole : inOne(whole) };
}

async function* inOne(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
