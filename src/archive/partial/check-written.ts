import { StorageError } from "../../errors.ts";
import type { DiskFile } from "../../util/disk.ts";
import { quote } from "../../util/format.ts";

/** Compares bytes with those in a file that is complete. @throws StorageError if they differ. */
export async function checkWritten(file: DiskFile, bytes: Uint8Array, position: number): Promise<void> {
  const written = Buffer.alloc(bytes.length);
  await file.read(written, position);
  if (written.equals(bytes)) return;
  throw new StorageError(
    `Cannot finish ${quote(file.path)}: bytes from ${position} on were changed, expected them as they were written`,
    { hint: "Run the command again with --restart." },
  );
}
