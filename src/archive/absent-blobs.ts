import type { Lock } from "../bundle/lock/lock.ts";
import { volumesText } from "../bundle/set/check-volumes.ts";
import { NotFoundError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { counted, shortId } from "../util/format.ts";
import type { AbsentBlob, ImageArchive } from "./archive-source.ts";

/** Digests that a message names of each kind: a lost volume has thousands. */
const MAX_NAMED = 20;

/** The layers that a delta assumes, and that are not there. */
export function assumedBlobs({ assumes = [] }: Lock, hasBlob: (digest: Digest) => boolean): readonly AbsentBlob[] {
  return assumes.flatMap(blob =>
    hasBlob(blob.digest) ? [] : [{ ...blob, kind: "layer" as const, why: "assumed" as const, volumes: [] }],
  );
}

/**
 * The error for blobs that are in a volume, or in a base, which was not given.
 *
 * @param verb what cannot be done, for example "convert".
 * @param bases ids of the bundles that a delta was made against.
 */
export function absentError(
  verb: string,
  { what, bundle, volumes }: Pick<ImageArchive, "what" | "bundle" | "volumes">,
  absent: readonly AbsentBlob[],
  bases: readonly Digest[] = [],
): NotFoundError {
  const assumed = absent.filter(({ why }) => why === "assumed");
  const lost = absent.filter(({ why }) => why === "volume");
  const states: string[] = [];
  const expected: string[] = [];
  if (volumes !== undefined && lost.length > 0) {
    const missing = volumes.missing.filter(number => lost.some(blob => blob.volumes.includes(number)));
    const incomplete = lost.filter(blob => !blob.volumes.some(number => missing.includes(number)));
    if (missing.length > 0) {
      const are = missing.length === 1 ? "is" : "are";
      states.push(
        `${volumesText(missing, volumes)} ${are} missing, with ${named(lost.filter(blob => !incomplete.includes(blob)))}`,
      );
      expected.push("all volumes");
    }
    if (incomplete.length > 0) {
      const numbers = [...new Set(incomplete.flatMap(blob => blob.volumes))].sort((left, right) => left - right);
      states.push(`${volumesText(numbers, volumes)} ${numbers.length === 1 ? "lacks" : "lack"} ${named(incomplete)}`);
      expected.push("what the lock says");
    }
  }
  if (assumed.length > 0) {
    const delta = bundle === undefined ? "the delta" : `delta ${shortId(bundle)}`;
    states.push(`${delta} assumes ${named(assumed)}, which no base has`);
    const known = bases.map(shortId).join(", ");
    expected.push(known === "" ? "its base" : `its base, bundle ${known}`);
  }
  return new NotFoundError(`Cannot ${verb} ${what}: ${states.join("; ")}, expected ${expected.join(" and ")}`, {
    hint:
      lost.length > 0
        ? "Name the missing volumes, too: in any order, from any folder."
        : "Name the base, too: the archive, volumes or earlier delta that the delta was made against.",
  });
}

function named(blobs: readonly AbsentBlob[]): string {
  const digests = blobs.slice(0, MAX_NAMED).map(({ digest }) => digest);
  const more = blobs.length > MAX_NAMED ? `, and ${blobs.length - MAX_NAMED} more` : "";
  return `${counted(blobs.length, "blob")} (${digests.join(", ")}${more})`;
}
