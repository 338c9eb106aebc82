import { fileSliceBlob } from "../../content/blob.ts";
import type { BlobSource } from "../../content/contracts.ts";
import { pumpBlob } from "../../content/pump.ts";
import { verified } from "../../content/verified.ts";
import { IntegrityError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { DiskFile } from "../../util/disk.ts";
import { PartialFile } from "../../util/partial-file.ts";

interface BlobFileOptions {
  /** Mode of the file, default 0o644. */
  readonly mode?: number | undefined;
  readonly onBytes?: (delta: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes a blob to a file, which appears when all of it is there and is right.
 *
 * @param source checks what it gives.
 * @throws IntegrityError for bytes that are not the blob; StorageError if the file cannot be written.
 */
export async function writeBlobFile(
  path: string,
  descriptor: Descriptor,
  source: BlobSource,
  { mode, onBytes, signal }: BlobFileOptions,
): Promise<void> {
  const isWhole = async (file: DiskFile): Promise<boolean> => await isBlob(descriptor, file, signal);
  await using file = await PartialFile.create(path, source.size, { isWhole, mode });
  await pumpBlob(
    source,
    async (chunk, position) => {
      await file.write(chunk, position);
      onBytes?.(chunk.length);
    },
    signal,
  );
  await file.publish();
}

/** Whether a file of the right size contains the blob. @param file open for reading. */
export async function isBlob(
  descriptor: Descriptor,
  { handle }: Pick<DiskFile, "handle">,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const what = "file";
  try {
    const blob = verified(descriptor, fileSliceBlob(handle, 0, descriptor.size, what), what);
    await pumpBlob(blob, async () => {}, signal);
    return true;
  } catch (error) {
    if (error instanceof IntegrityError) return false;
    throw error;
  }
}
