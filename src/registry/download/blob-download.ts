import { Readable } from "node:stream";
import { ChunkFiller } from "../../content/chunks/chunk-filler.ts";
import { createFlow } from "../../content/chunks/flow.ts";
import type { BlobSource, ByteRange, ByteSink } from "../../content/contracts.ts";
import { pumpBytes } from "../../content/pump.ts";
import { ImgpackError, NetworkError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { errorCode } from "../../util/error-code.ts";
import type { Repository } from "../client/repository.ts";
import type { ByteTaker } from "../transport/byte-taker.ts";
import type { ResponseHead } from "../transport/response-head.ts";
import { type BlobRequest, blobBody, urlOf } from "./blob-body.ts";
import { ifUnchanged, noteValidator } from "./entity-tag.ts";

/** Smaller blobs come over the connection that brought the manifest, and are kept in memory: each is less than a chunk. */
const BULK_BYTES = 1024 * 1024;
const MAX_SLOW_ATTEMPTS = 5;

/** Gets how many bytes of the blob have come. */
type OnCome = ((bytes: number) => void) | undefined;

/**
 * A blob of a repository. Unchecked: wrap it in `verified`. A broken transfer resumes at the byte where it broke.
 *
 * @param url of a foreign layer that the registry lacks.
 */
export function registryBlob(repository: Repository, descriptor: Descriptor, url?: URL): BlobSource {
  const isBulk = descriptor.size >= BULK_BYTES;
  const { size } = descriptor;
  let onCome: ((bytes: number) => void) | undefined;
  return {
    size,
    isRemote: true,
    watch(listener) {
      onCome = listener;
    },
    host: url?.host ?? repository.client.registry,
    async open(range, signal) {
      const wanted = { ...request(signal), range };
      const parts = isBulk || range !== undefined ? resumedParts(wanted) : [await wholeBody(wanted, onCome)];
      return Readable.from(parts, { objectMode: false });
    },
    ...(isBulk
      ? {
          pump: async (sink: ByteSink, signal?: AbortSignal) =>
            await pumpWithResume(requestFrom(0, signal), sink, onCome),
          pumpFrom: async (start: number, sink: ByteSink, signal?: AbortSignal) =>
            await pumpWithResume(requestFrom(start, signal), sink, onCome),
        }
      : {
          // A stream for each of thousands of small blobs takes as long as all the rest of them.
          whole: async (signal?: AbortSignal) => await wholeBody(request(signal), onCome),
          pump: async (sink: ByteSink, signal?: AbortSignal) =>
            await pumpBytes(await wholeBody(request(signal), onCome), sink, signal),
        }),
  };

  function request(signal: AbortSignal | undefined): BlobRequest {
    return { repository, descriptor, url, known: {}, signal };
  }

  function requestFrom(start: number, signal: AbortSignal | undefined): RangeRequest {
    return { ...request(signal), range: { start, end: size } };
  }
}

interface RangeRequest extends BlobRequest {
  readonly range: ByteRange;
}

async function wholeBody(request: BlobRequest, onCome: OnCome): Promise<Uint8Array> {
  return await request.repository.retrying(`blob ${request.descriptor.digest}`, request.signal, async () => {
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for await (const part of blobBody(request)) {
      parts.push(part);
      bytes += part.length;
      onCome?.(bytes);
    }
    const [first] = parts;
    return parts.length === 1 && first !== undefined ? first : Buffer.concat(parts);
  });
}

/** Below the minimum rate, each attempt brings some bytes, and the whole would never end. */
function isTooSlow(error: unknown): error is ImgpackError {
  return error instanceof ImgpackError && errorCode(error.cause) === "ETOOSLOW";
}

/** Sends the range to the sink, in chunks. */
async function pumpWithResume(request: RangeRequest, sink: ByteSink, onCome: OnCome): Promise<void> {
  const { repository, descriptor, range, signal } = request;
  const { digest, size } = descriptor;
  const flow = createFlow(sink, signal);
  const filler = new ChunkFiller(flow);
  const transfer = async (): Promise<void> => {
    filler.rewind();
    const start = range.start + filler.handedBytes;
    // The last attempt broke after the last byte.
    if (start === size) return;
    const taker = watchedTaker(filler, start, onCome);
    if (await takeBulk(request, start, taker)) return;
    const rest = start === 0 ? undefined : { start, end: size };
    for await (const part of blobBody({ ...request, range: rest })) await taker.take(part);
  };
  try {
    for (let isComplete = false; !isComplete; ) {
      const before = filler.handedBytes;
      try {
        await repository.retrying(`blob ${digest}`, signal, transfer);
        isComplete = true;
      } catch (error) {
        // A line that breaks often, but brings some bytes each time, brings all of them in the end.
        const isLasting = !(error instanceof ImgpackError) || !error.transient || isTooSlow(error);
        if (isLasting || filler.handedBytes === before) throw error;
      }
    }
    filler.end();
  } catch (error) {
    filler.rewind();
    flow.fail(error);
  }
  await flow.settled();
}

/** @param start position of the first byte that comes. */
function watchedTaker(filler: ChunkFiller, start: number, onCome: OnCome): ByteTaker {
  if (onCome === undefined) return filler;
  let position = start;
  return {
    take(part) {
      position += part.length;
      onCome(position);
      return filler.take(part);
    },
    room: () => filler.room(),
  };
}

/**
 * Takes the bytes from `start` to the end over a connection for big bodies.
 *
 * @returns false when the answer is not a plain body of the right length; nothing was taken then.
 */
async function takeBulk(request: BlobRequest, start: number, taker: ByteTaker) {
  const { repository, descriptor, known, signal } = request;
  if (start > 0 && known.refusesRanges === true) return false;
  const { digest, size } = descriptor;
  const accept = (head: ResponseHead): boolean => {
    if (head.status < 300) noteValidator(known, head.headers.get("etag")?.join());
    if (head.contentLength !== size - start) return false;
    if (start === 0) return head.status === 200;
    return head.status === 206 && head.headers.get("content-range")?.join() === `bytes ${start}-${size - 1}/${size}`;
  };
  const headers = {
    accept: "*/*",
    "accept-encoding": "identity",
    ...(start > 0 ? { range: `bytes=${start}-`, ...ifUnchanged(known) } : {}),
  };
  const call = { verb: "pull", what: `blob ${digest}`, method: "GET", ...urlOf(request), headers } as const;
  return await repository.download({ ...call, accept: [200, 206], signal }, accept, taker);
}

/** The bytes of the range; the rest is asked for again whenever the body breaks off. */
async function* resumedParts(request: BlobRequest): AsyncGenerator<Uint8Array> {
  const { repository, descriptor, signal } = request;
  const { start, end } = request.range ?? { start: 0, end: descriptor.size };
  let position = start;
  let parts: AsyncGenerator<Uint8Array> | undefined;
  let slowAttempts = 0;
  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    const range = position === 0 && end === descriptor.size ? undefined : { start: position, end };
    parts ??= blobBody({ ...request, range });
    try {
      return await parts.next();
    } catch (error) {
      parts = undefined;
      if (!isTooSlow(error)) throw error;
      slowAttempts += 1;
      if (slowAttempts < MAX_SLOW_ATTEMPTS) throw error;
      throw new NetworkError(error.message, { hint: error.hint, cause: error.cause });
    }
  };
  try {
    while (position < end) {
      const { value, done } = await repository.retrying(`blob ${descriptor.digest}`, signal, next);
      if (done) return;
      position += value.length;
      yield value;
    }
    // The end of the body is still to come, and with it the check that nothing follows.
    await parts?.next();
  } finally {
    await parts?.return(undefined);
  }
}
