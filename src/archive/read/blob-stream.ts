import type { BlobStream } from "../../content/contracts.ts";
import { StorageError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import type { TarEntry } from "../../tar/tar-entry.ts";
import type { Archive, SequentialBodies } from "../archive.ts";

/**
 * The blobs of an archive that is read from beginning to end.
 *
 * @param entryOf where a blob lies; undefined for one that is in memory.
 */
export function blobStream(
  archive: Archive,
  passing: SequentialBodies,
  entryOf: (digest: Digest) => TarEntry | undefined,
): BlobStream {
  return {
    holds(digest) {
      const entry = entryOf(digest);
      return entry === undefined || passing.holds(entry);
    },
    async pass(wanted, take, signal) {
      const missing = new Map<number, Digest>();
      for (const digest of wanted) {
        const entry = entryOf(digest);
        if (entry !== undefined) missing.set(entry.bodyOffset, digest);
      }
      await passing.pass(
        ({ bodyOffset }) => {
          const digest = missing.get(bodyOffset);
          if (digest === undefined) return undefined;
          missing.delete(bodyOffset);
          return async (blob, own) => await take(digest, blob, own);
        },
        () => missing.size === 0,
        signal,
      );
      const [digest] = missing.values();
      if (digest === undefined) return;
      throw new StorageError(`Cannot read blob ${digest} from ${archive.what}: it is gone, expected it where it was`, {
        hint: "The file was changed while it was read; make sure nothing writes to it and try again.",
      });
    },
  };
}
