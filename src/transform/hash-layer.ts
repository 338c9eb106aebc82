import { createHash } from "node:crypto";
import { PassThrough } from "node:stream";
import { decompress } from "../compress/decompress.ts";
import type { Compression } from "../compress/detect.ts";
import { createBlobHash } from "../content/blob-hash.ts";
import type { BlobSource } from "../content/contracts.ts";
import { pumpBlob } from "../content/pump.ts";
import { InternalError } from "../errors.ts";
import type { Digest, DigestAlgorithm } from "../oci/digest.ts";
import { allEnded } from "../util/abort.ts";

export interface LayerHashes {
  /** Of the bytes as they are. */
  readonly digest: Digest;
  /** sha256 of what a compressed layer inflates to. */
  readonly diffId?: Digest;
}

export interface HashLayerOptions {
  /** Of the digest. */
  readonly algorithm: DigestAlgorithm;
  /** As messages name it. */
  readonly what: string;
  readonly compression: Compression | undefined;
}

/**
 * Reads a blob once for both of its identities.
 *
 * @throws ArchiveError when a compressed layer is damaged; its digest is not told then.
 */
export async function hashLayer(
  blob: BlobSource,
  { algorithm, what, compression }: HashLayerOptions,
  signal: AbortSignal | undefined,
  onBytes: (bytes: number) => void,
): Promise<LayerHashes> {
  const hash = createBlobHash(algorithm, blob.size);
  const copy = compression === undefined ? undefined : new PassThrough().setMaxListeners(0);
  const inflated =
    copy === undefined || compression === undefined ? undefined : hashInflated(copy, compression, what, signal);
  // Awaited below; a failure comes up through the copy, which the inflating side closes.
  inflated?.catch(() => undefined);
  try {
    await pumpBlob(
      blob,
      async chunk => {
        await allEnded([hash.update(chunk), copy === undefined ? undefined : passOn(copy, chunk, inflated)]);
        onBytes(chunk.length);
      },
      signal,
    );
    copy?.end();
    const diffId = await inflated;
    return { digest: await hash.digest(), ...(diffId === undefined ? {} : { diffId }) };
  } catch (error) {
    copy?.destroy();
    await allEnded([hash.drop(), inflated?.catch(() => undefined)]);
    throw error;
  }
}

/** Without a limit on the ratio: the bytes are hashed and forgotten, and a genuine layer of zeros shrinks 1030 times. */
async function hashInflated(
  source: PassThrough,
  compression: Compression,
  what: string,
  signal: AbortSignal | undefined,
): Promise<Digest> {
  const hash = createHash("sha256");
  const parts = decompress(source, compression, what, signal, Number.POSITIVE_INFINITY);
  for await (const part of parts) hash.update(part);
  return `sha256:${hash.digest("hex")}`;
}

/** Copies, because the chunk is used again before the stream has consumed it. @throws why the reader gave up. */
async function passOn(target: PassThrough, chunk: Uint8Array, reader: Promise<unknown> | undefined): Promise<void> {
  const isTaken = await new Promise<boolean>(resolve => {
    // A stream that is closed in the middle of a write never calls back.
    const onClose = (): void => resolve(false);
    target.once("close", onClose);
    target.write(Buffer.from(chunk), error => {
      target.off("close", onClose);
      resolve(!error);
    });
  });
  if (isTaken) return;
  await reader;
  throw new InternalError("Cannot hash layer: its reader left before the end");
}
