import type { Lock } from "../bundle/lock/lock.ts";
import { volumesText } from "../bundle/set/check-volumes.ts";
import { NotFoundError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { counted, shortId } from "../util/format.ts";
import type { AbsentBlob, ArchiveSource, ImageArchive } from "./archive-source.ts";

/** Digests that a message names of each kind: a base has thousands. */
const MAX_NAMED = 5;

/** The layers that a delta assumes, and that are not there. */
export function assumedBlobs({ assumes = [] }: Lock, hasBlob: (digest: Digest) => boolean): readonly AbsentBlob[] {
  return assumes.flatMap(blob =>
    hasBlob(blob.digest) ? [] : [{ ...blob, kind: "layer" as const, why: "assumed" as const, volumes: [] }],
  );
}

export interface AbsentDetails {
  /** Ids of the bundles that a delta was made against, as far as they are not there. */
  readonly bases?: readonly Digest[] | undefined;
  /** Ids of the bundles that were given in their place. */
  readonly given?: readonly Digest[] | undefined;
  /** What else was asked for the blobs, and does not have them. */
  readonly elsewhere?: string | undefined;
}

/**
 * The error for blobs that are in a volume, or in a base, which was not given.
 *
 * @param verb what cannot be done, for example "convert".
 */
export function absentError(
  verb: string,
  { what, bundle, volumes }: Pick<ImageArchive, "what" | "bundle" | "volumes">,
  absent: readonly AbsentBlob[],
  { bases = [], given = [], elsewhere }: AbsentDetails = {},
): NotFoundError {
  const assumed = absent.filter(({ why }) => why === "assumed");
  const lost = absent.filter(({ why }) => why === "volume");
  const states: string[] = [];
  const expected: string[] = [];
  const hints: string[] = [];
  if (volumes !== undefined && lost.length > 0) {
    const id = shortId(volumes.bundle);
    const of = what.endsWith(id) ? "" : ` of bundle ${id}`;
    const needed = new Set(lost.flatMap(blob => blob.volumes));
    const missing = volumes.missing.filter(number => needed.has(number));
    const [gone, incomplete] = split(lost, new Set(missing));
    const nowhere = elsewhere === undefined ? "" : `, which ${elsewhere} does not have`;
    if (missing.length > 0) {
      const are = missing.length === 1 ? "is" : "are";
      states.push(
        `${volumesText(missing, volumes)}${of} ${are} missing, with ${counted(gone.length, "blob")}${nowhere}`,
      );
      expected.push("all volumes");
      hints.push("Name the missing volumes, too: in any order, from any folder.");
    }
    if (incomplete.length > 0) {
      const numbers = [...new Set(incomplete.flatMap(blob => blob.volumes))].sort((left, right) => left - right);
      const lack = numbers.length === 1 ? "lacks" : "lack";
      states.push(`${volumesText(numbers, volumes)}${of} ${lack} ${named(incomplete)}${nowhere}`);
      expected.push("what the lock says");
      hints.push('The volume is damaged, or was changed: "imgpack verify" of all volumes says more.');
    }
  }
  if (assumed.length > 0) {
    const delta = bundle === undefined ? "the delta" : `delta ${shortId(bundle)}`;
    const nowhere = elsewhere === undefined ? "no base has" : `neither a base nor ${elsewhere} has`;
    const others = given.length === 0 ? "" : `; the other files are bundle ${given.map(shortId).join(", ")}`;
    states.push(`${delta} assumes ${named(assumed)}, which ${nowhere}${others}`);
    const known = bases.map(shortId).join(", ");
    expected.push(known === "" ? "its base" : `its base, bundle ${known}`);
    hints.push("Name the base, too: the archive, volumes or earlier delta that the delta was made against.");
  }
  return new NotFoundError(`Cannot ${verb} ${what}: ${states.join("; ")}, expected ${expected.join(" and ")}`, {
    hint: hints[0],
  });
}

/**
 * Which bundles the files are, and which ones a delta among them needs in addition.
 *
 * @param members the files of the archive that lacks the blobs.
 * @param others further files.
 */
export async function absentDetails(
  members: readonly ArchiveSource[],
  absent: readonly AbsentBlob[],
  others: readonly ArchiveSource[] = [],
  signal?: AbortSignal,
): Promise<Required<Pick<AbsentDetails, "bases" | "given">>> {
  const digests = new Set(absent.map(({ digest }) => digest));
  const given = new Set<Digest>();
  const deltas: Lock[] = [];
  for (const member of [...members, ...others]) {
    const lock = member.part?.kind === "locked" ? member.part.lock : await member.lock(signal);
    if (lock === undefined) continue;
    const needs = members.includes(member) && lock.assumes?.some(({ digest }) => digests.has(digest)) === true;
    if (needs) deltas.push(lock);
    else given.add(lock.id);
  }
  const bases = new Set(deltas.flatMap(lock => lock.bases ?? []));
  return { bases: [...bases].filter(id => !given.has(id)), given: [...given] };
}

/** Those that are in one of the missing volumes, and the others. */
function split(
  blobs: readonly AbsentBlob[],
  missing: ReadonlySet<number>,
): readonly [gone: readonly AbsentBlob[], others: readonly AbsentBlob[]] {
  const isGone = (blob: AbsentBlob): boolean => blob.volumes.some(number => missing.has(number));
  return [blobs.filter(isGone), blobs.filter(blob => !isGone(blob))];
}

function named(blobs: readonly AbsentBlob[]): string {
  const digests = blobs.slice(0, MAX_NAMED).map(({ digest }) => digest);
  const more = blobs.length > MAX_NAMED ? `, and ${blobs.length - MAX_NAMED} more` : "";
  return `${counted(blobs.length, "blob")} (${digests.join(", ")}${more})`;
}
