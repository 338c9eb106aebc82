import type { ByteRange } from "../../content/contracts.ts";
import { IntegrityError, NetworkError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Repository, RepositoryCall } from "../client/repository.ts";
import { headerText } from "../http/headers.ts";
import type { TransportResponse } from "../transport/transport.ts";
import { ifUnchanged, noteValidator, type Validator } from "./entity-tag.ts";

/** A request for a blob, or for a part of it. */
export interface BlobRequest {
  readonly repository: Repository;
  readonly descriptor: Descriptor;
  /** Of a foreign layer that the registry lacks; default: the registry's own. */
  readonly url?: URL | undefined;
  /** Default: the whole blob. */
  readonly range?: ByteRange | undefined;
  /** What earlier answers said about the bytes; shared by the requests of one transfer. */
  readonly known: Validator;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The bytes of a blob, asked for once.
 *
 * @throws NetworkError (transient) when the body breaks off, IntegrityError when its size is not the descriptor's.
 */
export async function* blobBody(request: BlobRequest): AsyncGenerator<Uint8Array> {
  const response = await openBody(request);
  try {
    yield* sliceBody(request, response);
  } catch (cause) {
    request.signal?.throwIfAborted();
    throw request.repository.failure(cause, whatOf(request), "pull");
  }
}

/** An answer whose body contains the range. */
async function openBody(request: BlobRequest): Promise<TransportResponse> {
  const { repository, range, known, signal } = request;
  const { start, end } = rangeOf(request);
  const what = whatOf(request);
  const isRanged = range !== undefined && known.refusesRanges !== true;
  const response = await repository.open({
    verb: "pull",
    what,
    method: "GET",
    ...urlOf(request),
    headers: {
      "accept-encoding": "identity",
      ...(isRanged ? { range: `bytes=${start}-${end - 1}`, ...ifUnchanged(known) } : {}),
    },
    accept: range === undefined ? [200] : [200, 206, 416],
    signal,
  });
  const fault = faultOf(request, response);
  if (fault === undefined) return response;
  await response.body.dump();
  throw fault;
}

/** Where the bytes are. */
export function urlOf({ descriptor, url }: BlobRequest): Pick<RepositoryCall, "url" | "isForeign"> {
  return url === undefined ? { url: `blobs/${descriptor.digest}` } : { url, isForeign: true };
}

/** What makes an answer useless; its entity tag is noted. */
function faultOf(request: BlobRequest, { status, headers }: TransportResponse): Error | undefined {
  const { repository, descriptor, known } = request;
  const { size } = descriptor;
  const { start, end } = rangeOf(request);
  const transient = (found: string, expected: string): NetworkError =>
    new NetworkError(`Cannot pull ${whatOf(request)} from ${repository}: ${found}, expected ${expected}`, {
      transient: true,
    });
  if (status === 416) {
    known.refusesRanges = true;
    return transient("status 416", "206 or 200");
  }
  noteValidator(known, headerText(headers, "etag"));
  if (status === 206) {
    const found = headerText(headers, "content-range");
    const wanted = `bytes ${start}-${end - 1}`;
    return found === `${wanted}/${size}` || found === `${wanted}/*`
      ? undefined
      : transient("another range came", `${wanted}/${size}`);
  }
  const announced = headerText(headers, "content-length");
  return announced === undefined || Number(announced) === size ? undefined : wrongSize(request, `${announced} bytes`);
}

/** The range out of the body, which begins at 0 unless the status is 206. */
async function* sliceBody(request: BlobRequest, { status, body }: TransportResponse): AsyncGenerator<Uint8Array> {
  const { repository, descriptor } = request;
  const { size } = descriptor;
  const { start, end } = rangeOf(request);
  let position = status === 206 ? start : 0;
  for await (const part of body) {
    const from = Math.max(0, start - position);
    position += part.length;
    if (position > size) throw wrongSize(request, `more than ${size} bytes`);
    if (from < part.length) yield part.subarray(from, Math.min(part.length, part.length - (position - end)));
    if (position >= end && end < size) break;
  }
  if (position >= end) return;
  throw new NetworkError(
    `Cannot pull ${whatOf(request)} from ${repository}: body ends at byte ${position}, expected ${end}`,
    { transient: true },
  );
}

function rangeOf({ range, descriptor }: BlobRequest): ByteRange {
  return range ?? { start: 0, end: descriptor.size };
}

function whatOf({ descriptor }: BlobRequest): string {
  return `blob ${descriptor.digest}`;
}

function wrongSize(request: BlobRequest, found: string): IntegrityError {
  const { repository, descriptor } = request;
  return new IntegrityError(
    `Cannot accept ${whatOf(request)} from ${repository}: found ${found}, expected ${descriptor.size} bytes`,
    { hint: "Either the manifest states a wrong size, or the registry or a proxy in front of it altered the blob." },
  );
}
