import type { ArchiveFault, DamagedRange } from "../../index.ts";
import { escapeForeign } from "../../util/format.ts";

/** As much as a line shows of what an archive contains. */
const MAX_TEXT = 1000;
/** Of ranges and images. */
const SHOWN = 5;

/** One fault of an archive, on one line. */
export function faultText({
  kind,
  archive,
  blob,
  entry,
  found,
  expected,
  ranges = [],
  images = [],
  message,
}: ArchiveFault): string {
  const parts = [
    kind,
    ...(archive === undefined ? [] : [escapeForeign(archive)]),
    ...[blob ?? entry ?? []].flat(),
    `${escapeForeign(message ?? `found ${found}, expected ${expected}`, MAX_TEXT)}${ranges.length === 0 ? "" : rangesText(ranges, blob !== undefined)}`,
  ];
  const users = images.length === 0 ? "" : `; needed by ${list(images.map(name => escapeForeign(name)))}`;
  return `${parts.join(": ")}${users}`;
}

function rangesText(ranges: readonly DamagedRange[], isBlob: boolean): string {
  const texts = ranges.map(({ from, to, fileFrom, fileTo }) =>
    isBlob
      ? `bytes ${from} to ${to - 1} (bytes ${fileFrom} to ${fileTo - 1} of the file)`
      : `bytes ${fileFrom} to ${fileTo - 1} of the file`,
  );
  return `, in ${list(texts)}`;
}

function list(texts: readonly string[]): string {
  const more = texts.length > SHOWN ? ` and ${texts.length - SHOWN} more` : "";
  return `${texts.slice(0, SHOWN).join(", ")}${more}`;
}
