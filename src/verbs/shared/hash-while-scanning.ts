import { digestInName } from "../../archive/blob-name.ts";
import { type ScanOptions, StreamedArchive } from "../../archive/open/streamed-archive.ts";
import type { OnProgress } from "../../content/progress.ts";
import { ArchiveError } from "../../errors.ts";
import { digestAlgorithm } from "../../oci/digest.ts";
import { hashLayer, type LayerHashes } from "../../transform/hash-layer.ts";
import { escapeForeign, quote } from "../../util/format.ts";

/** Hashes of bodies by their offset; an error for a compressed one that is damaged. */
export type BodyHashes = Map<number, LayerHashes | ArchiveError>;

/** Reads an archive once, and hashes every body and what it inflates to, into `found`. @throws ArchiveError */
export async function hashWhileScanning(
  scan: ScanOptions,
  found: BodyHashes,
  onProgress: OnProgress,
): Promise<StreamedArchive> {
  return await StreamedArchive.scan(scan, (entry, kind, digests) => {
    const name = digestInName(entry.name);
    const algorithm = name === undefined ? "sha256" : digestAlgorithm(name);
    const compression = kind === "tar" || kind === "json" || kind === "other" ? undefined : kind;
    return async (blob, signal) => {
      const onBytes = (delta: number): void =>
        onProgress({ kind: "bytes", blob: `entry ${escapeForeign(entry.name)}`, delta });
      try {
        const hashes = await hashLayer(
          blob,
          { algorithm, what: `layer ${quote(entry.name)}`, compression },
          signal,
          onBytes,
        );
        found.set(entry.bodyOffset, hashes);
        if (algorithm === "sha256") digests.set(entry.bodyOffset, hashes.digest);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof ArchiveError)) throw error;
        found.set(entry.bodyOffset, error);
      }
    };
  });
}
