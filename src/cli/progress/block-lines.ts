import { escapeForeign } from "../../util/format.ts";
import { cutText, endOf, padText, startOf, textWidth } from "../screen/text-width.ts";
import { type BlobText, blobText } from "./blob-text.ts";
import type { BlobState, ProgressState } from "./progress-state.ts";
import { totalsLine } from "./totals-line.ts";
import { waitText } from "./waiting-text.ts";

const MAX_ROWS = 8;
/** Smaller blobs are done before they can be read. */
const MIN_AGE_MS = 300;
const BAR_WIDTHS = [24, 10] as const;
const MAX_NAME = 24;

/**
 * The totals, then a line for each registry that is waited for and each blob under way: as many as a terminal shows without
 * scrolling, each shorter than its width.
 */
export function blockLines(state: ProgressState, columns: number, rows: number): readonly string[] {
  const width = Math.max(0, columns - 1);
  const blobs = state.underWay.filter(({ ageMs }) => ageMs >= MIN_AGE_MS);
  const count = state.waits.length + blobs.length;
  const room = Math.max(0, Math.min(MAX_ROWS, rows - 2));
  const shown = count <= room ? count : Math.max(0, room - 1);
  const waits = state.waits.slice(0, shown).map(wait => `  ${waitText(wait)}`);
  const more = shown < count && room > 0 ? [`  and ${count - shown} more`] : [];
  const below = [...waits, ...blobLines(blobs.slice(0, shown - waits.length), width), ...more];
  return [totalsLine(state, columns), ...below.map(line => cutText(line, width))];
}

/** Bars, and what follows amounts, are below each other. */
function blobLines(blobs: readonly BlobState[], width: number): readonly string[] {
  const texts = blobs.map(blob => blobText(blob));
  const names = blobs.map(({ blob }) => blobName(blob));
  const nameWidth = names.reduce((widest, name) => Math.max(widest, textWidth(name)), 0);
  const amountWidth = texts.reduce((widest, { amount }) => Math.max(widest, amount.length), 0);
  const forms = texts.map((text, index) =>
    BAR_WIDTHS.map(size => formsOf(text, padText(names[index] ?? "", nameWidth), size, amountWidth)),
  );
  const fits = (line: string): boolean => textWidth(line) <= width;
  const widest = BAR_WIDTHS.findIndex((_, size) => forms.every(lines => fits(lines[size]?.[0] ?? "")));
  return forms.map(lines => {
    const own = lines.at(widest) ?? [];
    return own.find(fits) ?? own.at(-1) ?? "";
  });
}

/** What matters least is left out first. */
function formsOf(
  { amount, speed, left, short, last, isIdle, bar }: BlobText,
  name: string,
  size: number,
  amountWidth: number,
) {
  const start = bar === undefined ? `  ${name}` : `  ${name} ${bar(size)}`;
  const aligned = `${start} ${amount.padStart(amountWidth)}`;
  const lines = [`${aligned}${speed}${left}`, `${aligned}${speed}`];
  const shorter = isIdle ? [`${aligned}, ${last}`] : [aligned, `${start} ${short}`];
  return [...lines, ...shorter, `  ${name} ${short}`, `  ${name} ${last}`];
}

/** 12 digits of a digest; else the name of a file or an entry, cut in the middle. */
function blobName(label: string): string {
  const [, digits] = /^(?:layer )?sha(?:256|512):([0-9a-f]{12})/.exec(label) ?? [];
  if (digits !== undefined) return digits;
  const name = escapeForeign(label.replace(/^(?:layer from|entry) /, ""), Number.POSITIVE_INFINITY);
  return textWidth(name) <= MAX_NAME ? name : `${startOf(name, 8)}...${endOf(name, MAX_NAME - 11)}`;
}
