import type { Lock } from "../../bundle/lock/lock.ts";
import { IntegrityError } from "../../errors.ts";

const HINT =
  'See which bytes are damaged with "imgpack verify FILE... --need need.json", fetch them with "imgpack pull -f need.json -o patch.tar", and convert both.';

/** Runs work that reads blobs. Of an archive with a lock, damaged bytes of them can be fetched again. */
export async function withDamageHint<T>(lock: Lock | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (lock === undefined || !(error instanceof IntegrityError)) throw error;
    throw new IntegrityError(error.message, { cause: error, hint: HINT });
  }
}
