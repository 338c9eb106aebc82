import type { StreamedBlobs } from "../../content/contracts.ts";
import { StorageError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import type { TarEntry } from "../../tar/tar-entry.ts";
import type { Archive, StreamedBodies } from "../archive.ts";

/**
 * The blobs of a streamed archive.
 *
 * @param entryOf returns the entry of a blob; undefined for a blob in memory.
 */
export function streamedBlobs(
  archive: Archive,
  bodies: StreamedBodies,
  entryOf: (digest: Digest) => TarEntry | undefined,
): StreamedBlobs {
  return {
    holds(digest) {
      const entry = entryOf(digest);
      return entry === undefined || bodies.holds(entry);
    },
    async read(wanted, take, signal) {
      const missing = new Map<number, Digest>();
      for (const digest of wanted) {
        const entry = entryOf(digest);
        if (entry !== undefined) missing.set(entry.bodyOffset, digest);
      }
      await bodies.readAgain(
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
      throw new StorageError(`Cannot read blob ${digest} from ${archive.what}: no such entry, expected it as before`, {
        hint: "The file changed while it was read: make sure that nothing writes to it, and try again.",
      });
    },
  };
}
