import { type ImgpackError, IntegrityError, NotFoundError } from "../../errors.ts";
import type { TransferImage, TransferReport } from "../../index.ts";
import { counted, quote } from "../../util/format.ts";

/** Names in the message: the report has all of them. */
const SHOWN = 3;
const SAYS_SO = "The report says so.";

/**
 * Why what a report is about is not to be accepted, as `verify` says it: damage (exit code 6) in any case; with a key also a
 * missing volume (5), a signature by another key (6), and none at all (5).
 */
export function reportFault(sources: readonly string[], report: TransferReport): ImgpackError | undefined {
  const { left, volumes, signature, images } = report;
  const cannot = `Cannot accept ${sources.map(quote).join(" and ")}`;
  const damaged = left.flatMap(({ kind, what }) => (kind === "damage" ? [what] : []));
  if (damaged.length > 0) {
    const hint = `${SAYS_SO} imgpack verify --need FILE says what to fetch again.`;
    return new IntegrityError(`${cannot}: damage found in ${someOf(damaged)}, expected none`, { hint });
  }
  const isChecked = signature !== undefined || images.some(({ referrers }) => referrers.verified !== undefined);
  if (!isChecked) return undefined;
  const missing = volumes?.missing ?? [];
  if (missing.length > 0) {
    const found = `${missing.length === 1 ? "volume" : "volumes"} ${missing.join(", ")} of ${volumes?.of} ${missing.length === 1 ? "is" : "are"} missing`;
    return new NotFoundError(`${cannot}: ${found}, expected all volumes`, {
      hint: `${SAYS_SO} Name all volumes of the set.`,
    });
  }
  if (signature?.state === "refused") {
    return new IntegrityError(
      `${cannot}: the signature is not by a key that was given, or is of another lock, expected one by such a key`,
      { hint: `${SAYS_SO} Another key signed it, or it was changed after it was signed: ask who sent it.` },
    );
  }
  const bare = images.filter(({ referrers: { verified } }) => verified === 0);
  return signature?.state === "signed" || bare.length === 0 ? undefined : unsigned(cannot, bare);
}

function unsigned(cannot: string, bare: readonly TransferImage[]): ImgpackError {
  const names = someOf(bare.map(({ name, digest = "" }) => name || digest));
  const isRefused = bare.some(({ referrers: { refused = 0 } }) => refused > 0);
  const found = isRefused ? "no key that was given signed" : "it is not signed, and there is no signature of";
  const message = `${cannot}: ${found} ${names}, expected a valid signature of the archive, or of each image`;
  if (isRefused) return new IntegrityError(message, { hint: `${SAYS_SO} Another key signed them: ask who sent it.` });
  return new NotFoundError(message, { hint: `${SAYS_SO} Have it signed where it is made, with --sign.` });
}

function someOf(names: readonly string[]): string {
  const more = names.length > SHOWN ? ` and ${counted(names.length - SHOWN, "other")}` : "";
  return `${names.slice(0, SHOWN).join(", ")}${more}`;
}
