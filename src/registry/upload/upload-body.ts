import { blobChunks } from "../../content/blob-chunks.ts";
import type { BlobSource, PendingBody, PendingStream, Seal } from "../../content/contracts.ts";
import { InternalError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { OpenedBody } from "./replayable-body.ts";

/** A blob to upload. */
export interface UploadBody {
  /** As messages name it. */
  readonly what: string;
  /** Digest and size, where they are known before the last byte. */
  readonly descriptor?: Descriptor;
  /** Bytes of the blob, or of what it is made of. */
  readonly sourceBytes: number;
  /** The same key means the same bytes, also in a later run. Absent where nothing guarantees that. */
  readonly resumeKey?: string | undefined;
  /** True when `open` works a single time. */
  readonly isOneShot: boolean;
  open(): Promise<OpenedBody>;
  /** Gets the bytes that have been sent, of those that `open` gives. */
  readonly onSent?: ((bytes: number) => void) | undefined;
}

/** A blob of known digest. @param blob should check itself. */
export function blobBody(descriptor: Descriptor, blob: BlobSource, signal?: AbortSignal): UploadBody {
  const { digest, size } = descriptor;
  return {
    what: `blob ${digest}`,
    descriptor,
    sourceBytes: size,
    resumeKey: digest,
    isOneShot: blob.isOneShot === true,
    open: async () => ({ body: checkedChunks(blob, size, signal), descriptor: () => descriptor }),
    onSent: blob.onSent,
  };
}

/** A layer whose digest follows from its last byte. `seal` is its seal once it has been sent. */
export function pendingBody(
  blob: PendingBody,
  signal?: AbortSignal,
  onBytes?: (bytes: number) => void,
): UploadBody & { seal(): Seal } {
  let stream: PendingStream | undefined;
  const seal = (): Seal => {
    if (stream === undefined) throw new InternalError(`Cannot name ${blob.what} before it was read`);
    return stream.seal();
  };
  return {
    what: blob.what,
    sourceBytes: blob.sourceBytes,
    resumeKey: blob.resumeKey,
    isOneShot: false,
    async open() {
      stream = await blob.open(signal, onBytes);
      return { body: stream.body, descriptor: () => seal().descriptor };
    },
    seal,
  };
}

/** A layer that is being read already, and cannot be read again. @param head its first bytes; emptied while they are sent. */
export function passingBody(blob: PendingBody, head: Uint8Array[], stream: PendingStream): UploadBody {
  async function* whole(): AsyncGenerator<Uint8Array, void> {
    for (let part = head.shift(); part !== undefined; part = head.shift()) yield part;
    yield* stream.body;
  }
  return {
    what: blob.what,
    sourceBytes: blob.sourceBytes,
    resumeKey: blob.resumeKey,
    isOneShot: true,
    open: async () => ({ body: whole(), descriptor: () => stream.seal().descriptor }),
  };
}

/** The last chunk waits until all has been checked, so that no registry, however trusting, gets a wrong blob whole. */
async function* checkedChunks(blob: BlobSource, size: number, signal?: AbortSignal): AsyncGenerator<Uint8Array, void> {
  let last: Uint8Array | undefined;
  let bytes = 0;
  for await (const chunk of blobChunks(blob, signal)) {
    bytes += chunk.length;
    if (bytes < size) yield chunk;
    else last = Buffer.from(chunk);
  }
  if (last !== undefined) yield last;
}
