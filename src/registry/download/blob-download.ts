import { Readable } from "node:stream";
import { ChunkFiller } from "../../content/chunks/chunk-filler.ts";
import { createFlow } from "../../content/chunks/flow.ts";
import type { BlobSource, ByteRange, ByteSink } from "../../content/contracts.ts";
import { ImgpackError, IntegrityError, NetworkError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Repository } from "../client/repository.ts";
import { headerText } from "../http/headers.ts";
import type { BulkDownloads } from "./bulk-download.ts";
import { ifUnchanged, noteValidator, type Validator } from "./entity-tag.ts";

/** Smaller blobs come over the connection that brought the manifest, and are kept in memory. */
const BULK_BYTES = 1024 * 1024;

export interface DownloadSource {
  readonly repository: Repository;
  readonly bulk: BulkDownloads;
}

/** A blob of a repository. Unchecked: wrap it in `verified`. A transfer that breaks goes on where it broke. */
export function registryBlob(source: DownloadSource, descriptor: Descriptor): BlobSource {
  const isBulk = descriptor.size >= BULK_BYTES;
  return {
    size: descriptor.size,
    isRemote: true,
    async open(range, signal) {
      if (isBulk || range !== undefined) {
        return Readable.from(resumedParts(source, descriptor, range, signal), { objectMode: false });
      }
      const parts = await source.repository.retrying(`blob ${descriptor.digest}`, signal, async () => {
        const collected: Uint8Array[] = [];
        for await (const part of bodyParts(source, descriptor, undefined, signal)) collected.push(part);
        return collected;
      });
      return Readable.from(parts, { objectMode: false });
    },
    ...(isBulk
      ? {
          pump: async (sink: ByteSink, signal?: AbortSignal) =>
            await pumpWithResume(source, descriptor, 0, sink, signal),
          pumpFrom: async (start: number, sink: ByteSink, signal?: AbortSignal) =>
            await pumpWithResume(source, descriptor, start, sink, signal),
        }
      : {}),
  };
}

async function pumpWithResume(
  source: DownloadSource,
  descriptor: Descriptor,
  first: number,
  sink: ByteSink,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { repository } = source;
  const { digest, size } = descriptor;
  const flow = createFlow(sink, signal);
  const filler = new ChunkFiller(flow);
  const known: Validator = {};
  const transfer = async (): Promise<void> => {
    filler.rewind();
    const start = first + filler.handedBytes;
    // It broke behind the last byte.
    if (start === size) return;
    const request = { repository, digest, start, size, known, signal };
    if (await source.bulk.download(request, part => filler.take(part))) return;
    const range = start === 0 ? undefined : { start, end: size };
    for await (const part of bodyParts(source, descriptor, range, signal, known)) await filler.take(part);
  };
  try {
    for (let isComplete = false; !isComplete; ) {
      const before = filler.handedBytes;
      try {
        await repository.retrying(`blob ${digest}`, signal, transfer);
        isComplete = true;
      } catch (error) {
        // A line that breaks often, but carries something each time, gets there in the end.
        if (!(error instanceof ImgpackError) || !error.transient || filler.handedBytes === before) throw error;
      }
    }
    filler.end();
  } catch (error) {
    filler.rewind();
    flow.fail(error);
  }
  await flow.settled();
}

/** The bytes of `range`; asks for the rest whenever the body breaks off. */
async function* resumedParts(
  source: DownloadSource,
  descriptor: Descriptor,
  range: ByteRange | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const { start, end } = range ?? { start: 0, end: descriptor.size };
  const known: Validator = {};
  let position = start;
  let parts: AsyncGenerator<Uint8Array> | undefined;
  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    const rest = position === 0 && end === descriptor.size ? undefined : { start: position, end };
    parts ??= bodyParts(source, descriptor, rest, signal, known);
    try {
      return await parts.next();
    } catch (error) {
      parts = undefined;
      throw error;
    }
  };
  try {
    while (position < end) {
      const { value, done } = await source.repository.retrying(`blob ${descriptor.digest}`, signal, next);
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

/** @throws NetworkError (transient) when the body breaks off; IntegrityError when it has another size than the descriptor. */
async function* bodyParts(
  source: DownloadSource,
  { digest, size }: Descriptor,
  range: ByteRange | undefined,
  signal: AbortSignal | undefined,
  known: Validator = {},
): AsyncGenerator<Uint8Array> {
  const { repository } = source;
  const what = `blob ${digest}`;
  const response = await repository.open({
    verb: "pull",
    what,
    method: "GET",
    url: `blobs/${digest}`,
    headers: {
      "accept-encoding": "identity",
      ...(range === undefined || known.refusesRanges === true
        ? {}
        : { range: `bytes=${range.start}-${range.end - 1}`, ...ifUnchanged(known) }),
    },
    accept: range === undefined ? [200] : [200, 206, 416],
    signal,
  });
  if (response.status === 416) {
    await response.body.dump();
    known.refusesRanges = true;
    throw new NetworkError(`Cannot pull ${what} from ${repository}: status 416, expected 206 or 200`, {
      transient: true,
    });
  }
  noteValidator(known, headerText(response.headers, "etag"));
  const { start, end } = range ?? { start: 0, end: size };
  if (response.status === 206) {
    const found = headerText(response.headers, "content-range");
    if (found !== `bytes ${start}-${end - 1}/${size}` && found !== `bytes ${start}-${end - 1}/*`) {
      await response.body.dump();
      throw new NetworkError(
        `Cannot pull ${what} from ${repository}: another range came, expected bytes ${start}-${end - 1}/${size}`,
        { transient: true },
      );
    }
  }
  const announced = headerText(response.headers, "content-length");
  if (response.status === 200 && announced !== undefined && Number(announced) !== size) {
    await response.body.dump();
    throw wrongSize(source, what, `${announced} bytes`, size);
  }
  // 200 to a Range request: the body starts at 0.
  let position = response.status === 206 ? start : 0;
  try {
    for await (const part of response.body) {
      const from = Math.max(0, start - position);
      position += part.length;
      if (position > size) throw wrongSize(source, what, `more than ${size} bytes`, size);
      if (from < part.length) yield part.subarray(from, Math.min(part.length, part.length - (position - end)));
      if (position >= end && end < size) break;
    }
  } catch (cause) {
    signal?.throwIfAborted();
    throw repository.failure(cause, what, "pull");
  }
  if (position < end) {
    throw new NetworkError(`Cannot pull ${what} from ${repository}: body ends at byte ${position}, expected ${end}`, {
      transient: true,
    });
  }
}

function wrongSize({ repository }: DownloadSource, what: string, found: string, size: number): IntegrityError {
  return new IntegrityError(`Cannot accept ${what} from ${repository}: found ${found}, expected ${size} bytes`, {
    hint: "The registry, or a proxy in front of it, altered the blob.",
  });
}
