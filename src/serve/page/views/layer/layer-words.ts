import { type Html, html } from "../../html/html.ts";
import { type LayerListing, MAX_READING_MS, MAX_UNPACKED_BYTES } from "../../model/layer/layer-listing.ts";
import { foreign } from "../../parts/foreign.ts";
import { bytes, numeral } from "../../parts/quantity.ts";

/** An archive without sums has one digest for all bytes of the layer: it is known at the end. */
const UNCHECKED =
  "The layer was not checked to its end: in an archive without sums, this list may come from wrong bytes.";

/** Why the list is not whole; undefined if it is. */
export function gapSentence({ gap, counts, entries }: LayerListing): Html | undefined {
  switch (gap?.kind) {
    case undefined:
      return undefined;
    case "too-many":
      return html`The first ${numeral(entries.length)} of ${numeral(counts.all)} entries are listed. The numbers above are of all of them.`;
    case "too-large":
      return html`Only the first ${bytes(MAX_UNPACKED_BYTES)} of this layer were unpacked to list it. What comes after them is not listed. ${UNCHECKED}`;
    case "too-slow":
      return html`Only what could be unpacked within ${MAX_READING_MS / 1000} seconds is listed. ${UNCHECKED}`;
    case "bomb":
      return html`This layer inflates to more than 1${"\u202f"}000 times its size. It was not unpacked to its end, and a runtime may refuse it.`;
    case "not-a-tar":
      return html`This is no tar archive, so it has no list of files.`;
    case "malformed":
      return html`This layer was made malformed, and its digest is right: ${foreign(gap.found)}. What comes after that is not listed.`;
  }
}

/** Whether the numbers of the list are those of the whole layer. */
export function isCounted({ gap }: LayerListing): boolean {
  return gap === undefined || gap.kind === "too-many";
}
