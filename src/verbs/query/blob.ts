import type { Writable } from "node:stream";
import { StreamWriter } from "../../archive/write/stream-writer.ts";
import type { BlobSource } from "../../content/contracts.ts";
import { underWay } from "../../content/progress.ts";
import { verified } from "../../content/verified.ts";
import { UsageError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { blobSize } from "../../registry/api/blobs.ts";
import { explainMissing } from "../../registry/api/explain-missing.ts";
import { registryBlob } from "../../registry/download/blob-download.ts";
import { checkedOptions, type OptionsShape } from "../../util/options/checked-options.ts";
import { OUTPUT, required } from "../../util/options/option-kinds.ts";
import { writeBlobFile } from "../files/blob-file.ts";
import { COMMON } from "../options/common-options.ts";
import { checkText } from "../options/option-values.ts";
import { type RemoteOptions, readableReference, withRegistries } from "../shared/remote-image.ts";

/** Options of `blob`. */
export interface BlobOptions extends RemoteOptions {
  /** File, which appears when it is complete, or stream, which is not ended. */
  readonly output: string | Writable;
}

const BLOB_OPTIONS: OptionsShape<BlobOptions> = { ...COMMON, output: required(OUTPUT) };

/** The blob that was downloaded. */
export interface BlobResult {
  /** `registry/repository@digest` */
  readonly reference: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** Path as it was given; "-" for a stream. */
  readonly output: string;
}

/**
 * Downloads a blob by its digest. The file gets its name only when size and digest are right. A stream gets the
 * bytes before the check; the error then says that they are not the blob.
 *
 * @param reference `[registry/]repository@digest`
 * @throws UsageError for a reference without a digest.
 * @throws IntegrityError for bytes that are not the blob; StorageError if the file cannot be written.
 * @throws NotFoundError, AuthError, NetworkError, RegistryError
 * @example
 * ```ts
 * import { blob, config } from "imgpack";
 *
 * const { reference } = await config("registry.lan:5000/team/app:1.4");
 * const { size } = await blob(reference, { output: "config.json" });
 * console.log(`${size} bytes`);
 * ```
 */
export async function blob(reference: string, options: BlobOptions): Promise<BlobResult> {
  checkText("read blob", "REPOSITORY@DIGEST", reference);
  options = checkedOptions(options, BLOB_OPTIONS);
  const { output, signal, onProgress } = options;
  const named = readableReference(reference, options.registry);
  const { digest } = named;
  if (digest === undefined) {
    throw new UsageError(`Cannot read blob of ${reference}: no digest named, expected REPOSITORY@sha256:…`, {
      hint: 'Layers and their digests are listed by "imgpack manifest".',
    });
  }
  return await withRegistries(options, named.registry, async registries => {
    const repository = await registries.repositoryFor(named, signal);
    const findSize = async (): Promise<number> => await blobSize(repository, digest, signal);
    const size = await explainMissing(repository, named, findSize, signal);
    const descriptor = { mediaType: "application/octet-stream", digest, size };
    onProgress?.({ kind: "planned", blobs: 1, bytes: size });
    const found = registryBlob(repository, descriptor);
    const source = verified(descriptor, found, `${repository}`);
    const onBytes = (delta: number): void => onProgress?.({ kind: "bytes", blob: digest, delta });
    await underWay(onProgress, { blob: digest, bytes: size, from: found.host }, async () => {
      if (typeof output === "string") await writeBlobFile(output, descriptor, source, { onBytes, signal });
      else await writeStream(output, source, onBytes, signal);
    });
    onProgress?.({ kind: "done", blob: digest, bytes: size });
    const name = typeof output === "string" ? output : "-";
    return { reference: `${repository}@${digest}`, digest, size, output: name };
  });
}

async function writeStream(
  output: Writable,
  source: BlobSource,
  onBytes: (delta: number) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const writer = new StreamWriter(output, "blob");
  try {
    for await (const part of (await source.open(undefined, signal)) as AsyncIterable<Uint8Array>) {
      await writer.write(part, signal);
      onBytes(part.length);
    }
  } finally {
    writer.release();
  }
}
