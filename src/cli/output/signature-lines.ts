import { type ImgpackError, IntegrityError, NotFoundError } from "../../errors.ts";
import type { CheckedSignatures, VerifyResult } from "../../index.ts";
import { counted, escapeForeign, quote } from "../../util/format.ts";

type Checked = Pick<VerifyResult, "bundle" | "signatures">;

/** Names in the message: each image has a line on stdout already. */
const SHOWN = 3;
const NAMELESS = "an image without a manifest";

/** What keys say about an archive and its images. A signed archive needs no signatures of its images. */
export function signatureLines(archive: string, { bundle, signatures = [] }: Checked): readonly string[] {
  const isSigned = bundle?.state === "signed";
  const shown = isSigned ? signatures.filter(({ valid }) => valid > 0) : signatures;
  return [
    ...(isSigned ? [`${escapeForeign(archive)}: signed by the key ${bundle.key}, lock ${bundle.lock}`] : []),
    ...shown.flatMap(({ names, digest = NAMELESS, valid, refused }) => [
      `${names[0] ?? digest}: ${valid === 0 ? "no valid signature" : counted(valid, "valid signature")}`,
      ...(valid === 0 ? refused.map(({ message }) => escapeForeign(message)) : []),
    ]),
  ];
}

/**
 * Why an archive is not to be trusted, if a key was given. A signature that does not fit is damage (exit code 6); none at all
 * is something absent (5).
 */
export function signatureFault(archive: string, { bundle, signatures = [] }: Checked): ImgpackError | undefined {
  if (bundle?.state === "refused") {
    const hint = "Another key signed it, or it was changed after it was signed: ask who sent it.";
    return new IntegrityError(bundle.message ?? "", { hint });
  }
  const bare = signatures.filter(({ valid }) => valid === 0);
  return bundle?.state === "signed" || bare.length === 0 ? undefined : unsignedImages(archive, bare);
}

function unsignedImages(archive: string, unsigned: readonly CheckedSignatures[]): ImgpackError {
  const all = unsigned.map(({ names, digest = NAMELESS }) => names[0] ?? digest);
  const more = all.length > SHOWN ? ` and ${all.length - SHOWN} more` : "";
  const names = `${all.slice(0, SHOWN).join(", ")}${more}`;
  const isRefused = unsigned.some(({ refused }) => refused.length > 0);
  const found = isRefused ? "no key that was given signed" : "it is not signed, and there is no signature of";
  const expected = "expected a valid signature of the archive, or of each image";
  const message = `Cannot accept archive ${quote(archive)}: ${found} ${names}, ${expected}`;
  const hint = isRefused
    ? "Another key signed it, or the image or its signature was altered: ask who sent it."
    : "Have it signed where it is made, with --sign; signatures of its images may also have been left out by --no-referrers.";
  return isRefused ? new IntegrityError(message, { hint }) : new NotFoundError(message, { hint });
}
