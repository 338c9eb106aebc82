import type { Lock } from "../../bundle/lock/lock.ts";
import type { CopyPlan, ImageSource } from "../../content/contracts.ts";
import { hasBlob } from "../../content/derived-source.ts";
import { NotFoundError, UsageError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { shortId } from "../../util/format.ts";
import { runBounded } from "../../util/task-group.ts";

const BLOBS_AT_ONCE = 6;

/**
 * Checks that what is about to be written is what a lock says: its images, all that belongs to them, and nothing else.
 *
 * @throws NotFoundError that names everything that has gone; UsageError if other options give other bytes.
 */
export function checkAgainstLock(found: Lock, expected: Lock): void {
  if (found.id === expected.id) return;
  const present = new Set(found.blobs.map(({ digest }) => digest));
  const gone = expected.blobs.flatMap(({ digest, kind }) => (present.has(digest) ? [] : [`${kind} ${digest}`]));
  if (gone.length > 0 && found.layers === expected.layers) throw goneFrom(expected, gone);
  throw new UsageError(
    `Cannot pull lock ${shortId(expected.id)}: this call gives the lock ${shortId(found.id)}, expected the same`,
    { hint: "Another --layers or --for gives other bytes, as may another version of imgpack." },
  );
}

/**
 * Runs `copy`. If a blob is not there, looks for all others, so that the error names everything that has gone.
 *
 * @throws NotFoundError; as `copy`.
 */
export async function namingGoneBlobs(
  lock: Lock | undefined,
  source: ImageSource,
  { blobs }: CopyPlan,
  copy: () => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await copy();
  } catch (error) {
    if (lock === undefined || !(error instanceof NotFoundError)) throw error;
    const gone = new Set<Digest>();
    await runBounded(
      blobs,
      BLOBS_AT_ONCE,
      async (blob, own) => {
        if (!(await hasBlob(source, blob, own))) gone.add(blob.digest);
      },
      signal,
    );
    const rows = lock.blobs.flatMap(({ digest, kind }) => (gone.has(digest) ? [`${kind} ${digest}`] : []));
    throw rows.length === 0 ? error : goneFrom(lock, rows, error);
  }
}

function goneFrom(lock: Lock, gone: readonly string[], cause?: Error): NotFoundError {
  return new NotFoundError(
    `Cannot pull lock ${shortId(lock.id)}: no longer there: ${gone.join(", ")}; expected all that it names`,
    { cause, hint: GONE_HINT },
  );
}

export const GONE_HINT =
  'The same bytes cannot be pulled any more: lock the images again with "imgpack lock", and look at what changed.';
