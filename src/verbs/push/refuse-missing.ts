import { absentDetails, absentError } from "../../archive/absent-blobs.ts";
import type { AbsentBlob, ArchiveSource, ImageArchive } from "../../archive/archive-source.ts";
import { formatNeed } from "../../bundle/need/format-need.ts";
import type { Need } from "../../bundle/need/need.ts";
import { NotFoundError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { quote } from "../../util/format.ts";
import { writeNeed } from "../needs/write-need.ts";
import type { Destination } from "../shared/destinations.ts";
import { findAbsent, type MissingBlobs } from "./find-absent.ts";
import type { PushRun } from "./push-to-repository.ts";

/**
 * Checks that the targets have all that an archive lacks, and writes what they do not have to the need list of the call.
 *
 * @param files all those of the call.
 * @throws NotFoundError with the need list.
 */
export async function refuseMissing(
  archive: ImageArchive,
  targets: readonly Destination[],
  files: readonly ArchiveSource[],
  run: PushRun,
): Promise<void> {
  const missing = await findAbsent(archive, targets, run);
  if (missing.blobs.length === 0) return;
  const { signal, need: path } = run.options;
  const others = files.filter(one => !archive.members.includes(one));
  const details = await absentDetails(archive.members, missing.blobs, others, signal);
  const elsewhere = missing.registries.join(", ");
  const { message, hint } = absentError("push", archive, missing.blobs, { ...details, elsewhere });
  const bundle = bundleOf(archive, missing.blobs);
  if (bundle === undefined) throw new NotFoundError(message, { hint });
  const need = needOf(bundle, archive, missing);
  if (path !== undefined) await writeNeed(path, need);
  const name = path === undefined ? "the need list" : quote(path);
  throw new NotFoundError(message, {
    need: formatNeed(need),
    hint: `${hint} Or carry ${name} out, and name the patch of "imgpack pull -f NEED -o patch.tar", too.`,
  });
}

/** Of several deltas, the first one that assumes one of the blobs. */
function bundleOf({ bundle, members }: ImageArchive, blobs: readonly AbsentBlob[]): Digest | undefined {
  if (bundle !== undefined) return bundle;
  const digests = new Set(blobs.map(({ digest }) => digest));
  for (const { part } of members) {
    const lock = part?.kind === "locked" ? part.lock : undefined;
    if (lock?.assumes?.some(({ digest }) => digests.has(digest)) === true) return lock.id;
  }
  return undefined;
}

function needOf(of: Digest, { volumes }: ImageArchive, { blobs, images }: MissingBlobs): Need {
  const lost = new Set(blobs.flatMap(blob => blob.volumes));
  return {
    of,
    volumes: (volumes?.missing ?? []).filter(number => lost.has(number)),
    images,
    blobs: blobs.map(({ digest, size, kind, repositories, sources = [] }) => ({
      digest,
      size,
      kind,
      repositories: [...new Set([...repositories, ...sources])].sort(),
    })),
  };
}
