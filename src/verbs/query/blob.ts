import type { Writable } from "node:stream";
import { StreamWriter } from "../../archive/write/stream-writer.ts";
import { pumpBlob } from "../../content/pump.ts";
import { verified } from "../../content/verified.ts";
import { AuthError, NotFoundError, RegistryError, StorageError, UsageError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import type { ManifestPlace } from "../../registry/api/manifests.ts";
import { registryBlob } from "../../registry/download/blob-download.ts";
import { BulkDownloads } from "../../registry/download/bulk-download.ts";
import { headerText } from "../../registry/http/headers.ts";
import { PartialFile } from "../../util/partial-file.ts";
import {
  placeOf,
  type RemoteOptions,
  readableReference,
  repositoryName,
  withRegistries,
} from "../shared/remote-image.ts";

export interface BlobOptions extends RemoteOptions {
  /** A file, which appears when it is whole, or a stream, which is not ended. */
  readonly output: string | Writable;
}

export interface BlobResult {
  /** `registry/repository@digest` */
  readonly reference: string;
  readonly digest: Digest;
  readonly size: number;
  /** "-" for a stream. */
  readonly output: string;
}

/**
 * Downloads a blob by its digest. Nothing stands under the file's name unless size and digest are right; to a stream,
 * bytes go before the check: the error then says that they are not the blob.
 *
 * @throws UsageError without a digest, NotFoundError, IntegrityError, StorageError
 */
export async function blob(reference: string, options: BlobOptions): Promise<BlobResult> {
  const { output, signal, onProgress } = options;
  const named = readableReference(reference, options.registry);
  const { digest } = named;
  if (digest === undefined) {
    throw new UsageError(`Cannot read blob of ${reference}: no digest named, expected REPOSITORY@sha256:…`, {
      hint: 'Layers and their digests are listed by "imgpack manifest".',
    });
  }
  return await withRegistries(options, async registries => {
    const place = await placeOf(registries, named, signal);
    const size = await blobSize(place, digest);
    const descriptor = { mediaType: "application/octet-stream", digest, size };
    const { client, repository } = place;
    onProgress?.({ kind: "planned", blobs: 1, bytes: size });
    const bulk = new BulkDownloads();
    try {
      const source = verified(
        descriptor,
        registryBlob({ client, repository, bulk }, descriptor),
        repositoryName(named),
      );
      const count = (delta: number): void => onProgress?.({ kind: "bytes", blob: digest, delta });
      if (typeof output === "string") await writeFile(output, source, count, signal);
      else await writeStream(output, source, count, signal);
    } finally {
      bulk.close();
    }
    onProgress?.({ kind: "done", blob: digest, bytes: size });
    const name = typeof output === "string" ? output : "-";
    return { reference: `${repositoryName(named)}@${digest}`, digest, size, output: name };
  });
}

type Blob = ReturnType<typeof verified>;

async function writeFile(
  path: string,
  source: Blob,
  onBytes: (delta: number) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  await using file = await PartialFile.create(path, source.size);
  await pumpBlob(
    source,
    async (chunk, position) => {
      await file.write(chunk, position);
      onBytes(chunk.length);
    },
    signal,
  );
  await file.publish();
}

async function writeStream(
  output: Writable,
  source: Blob,
  onBytes: (delta: number) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const writer = new StreamWriter(output);
  try {
    for await (const part of (await source.open(undefined, signal)) as AsyncIterable<Uint8Array>) {
      await writer.write(part, signal);
      onBytes(part.length);
    }
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    const { message, hint, cause } = error;
    const named = (text: string): string => text.replaceAll("archive", "blob");
    throw new StorageError(named(message), { cause, ...(hint === undefined ? {} : { hint: named(hint) }) });
  } finally {
    writer.release();
  }
}

/** @throws NotFoundError */
async function blobSize(place: ManifestPlace, digest: Digest): Promise<number> {
  const told = await sizeFrom(place, digest, "HEAD").catch((error: unknown) => {
    place.signal?.throwIfAborted();
    // ECR Public answers 401 to every HEAD of a blob, caches in front of registries 403 or 404.
    const mayBeHeadOnly = error instanceof AuthError || error instanceof NotFoundError || isLasting(error);
    if (!mayBeHeadOnly) throw error;
    return undefined;
  });
  const size = told ?? (await sizeFrom(place, digest, "GET"));
  if (size !== undefined) return size;
  throw new RegistryError(
    `Cannot read blob ${digest} from ${place.client.registry}/${place.repository}: no size told, expected Content-Length`,
    { status: 200 },
  );
}

function isLasting(error: unknown): boolean {
  return error instanceof RegistryError && !error.transient;
}

async function sizeFrom(
  { client, repository, signal }: ManifestPlace,
  digest: Digest,
  method: "HEAD" | "GET",
): Promise<number | undefined> {
  const { status, headers } = await client.callDumped({
    verb: "read",
    what: `blob ${digest}`,
    repository,
    actions: "pull",
    method,
    url: `/v2/${repository}/blobs/${digest}`,
    headers: { "accept-encoding": "identity", ...(method === "GET" ? { range: "bytes=0-0" } : {}) },
    // 416 to a range of an empty blob.
    accept: method === "GET" ? [200, 206, 416] : [200],
    signal,
  });
  const text =
    status === 200
      ? headerText(headers, "content-length")
      : /^bytes (?:\d+-\d+|\*)\/(\d+)$/.exec(headerText(headers, "content-range") ?? "")?.[1];
  const size = Number(text);
  return text !== undefined && /^\d+$/.test(text) && Number.isSafeInteger(size) ? size : undefined;
}
