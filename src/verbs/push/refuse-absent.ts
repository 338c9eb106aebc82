import type { ArchiveSource, ImageArchive } from "../../archive/archive-source.ts";
import type { Destination } from "../shared/destinations.ts";
import type { PushRun } from "./push-to-repository.ts";

/**
 * Of blobs that an archive lacks, the targets must have each, before the first one is sent.
 *
 * @param files all those of the call.
 * @throws NotFoundError as `refuseMissing`, which few runs need to load.
 */
export async function refuseAbsent(
  archive: ImageArchive,
  targets: readonly Destination[],
  files: readonly ArchiveSource[],
  run: PushRun,
): Promise<void> {
  if (archive.absent.length === 0) return;
  const { refuseMissing } = await import("./refuse-missing.ts");
  await refuseMissing(archive, targets, files, run);
}
