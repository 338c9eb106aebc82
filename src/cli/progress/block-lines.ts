import { escapeForeign, formatBytes } from "../../util/format.ts";
import type { BlobState, ProgressState } from "./progress-state.ts";
import { amount, bar, partOf, totalsLine } from "./totals-line.ts";
import { IDLE_MS, seconds, waitedHost, waitText } from "./waiting-text.ts";

const MAX_ROWS = 8;
/** Smaller blobs are done before they can be read. */
const MIN_AGE_MS = 300;
const BAR_WIDTH = 10;
const MAX_NAME = 24;

/**
 * The totals, then a line for each registry that is waited for and each blob under way: as many as a terminal shows without
 * scrolling, each shorter than its width. All of it is ASCII, since no one knows how wide other characters are.
 */
export function blockLines(state: ProgressState, columns: number, rows: number): readonly string[] {
  const width = Math.max(0, columns - 1);
  const blobs = state.underWay.filter(({ ageMs }) => ageMs >= MIN_AGE_MS);
  const names = blobs.map(({ blob }) => blobName(blob));
  const nameWidth = names.slice(0, MAX_ROWS).reduce((longest, { length }) => Math.max(longest, length), 0);
  const all = [
    ...state.waits.map(wait => `  ${waitText(wait)}`),
    ...blobs.map((blob, index) => blobLine(blob, (names[index] ?? "").padEnd(nameWidth), width)),
  ];
  const room = Math.max(0, Math.min(MAX_ROWS, rows - 2));
  const more = all.length > room ? [`  and ${all.length - room + 1} more`] : [];
  const shown = [...all.slice(0, Math.max(0, room - more.length)), ...more].slice(0, room);
  return [totalsLine(state, columns), ...shown.map(line => ascii(line).slice(0, width))];
}

function blobLine(blob: BlobState, name: string, width: number): string {
  const { bytes, size, rate, idleMs } = blob;
  const host = waitedHost(blob);
  const waiting = `waiting${host === undefined ? "" : ` for ${escapeForeign(host)}`}, ${seconds(idleMs)}`;
  const isIdle = idleMs >= IDLE_MS;
  const speed = isIdle ? `, ${waiting}` : rate === undefined ? "" : `, ${formatBytes(rate)}/s`;
  const part = partOf(bytes, size);
  const text = `${amount(bytes, size)}${speed}`;
  const short = isIdle ? waiting : part === undefined ? formatBytes(bytes) : `${Math.floor(part * 100)} %`;
  const lines = [...(part === undefined ? [] : [`${name} ${bar(part, BAR_WIDTH)} ${text}`]), `${name} ${text}`];
  // The time says more than a part of a host.
  const last = isIdle ? `waiting, ${seconds(idleMs)}` : short;
  return (
    [...lines, `${name} ${short}`].map(line => `  ${line}`).find(line => line.length <= width) ?? `  ${name} ${last}`
  );
}

/** 12 digits of a digest; else the name of a file or an entry, cut in the middle. */
function blobName(label: string): string {
  const [, digits] = /^(?:layer )?sha(?:256|512):([0-9a-f]{12})/.exec(label) ?? [];
  if (digits !== undefined) return digits;
  const name = ascii(label.replace(/^(?:layer from|entry) /, ""));
  return name.length <= MAX_NAME ? name : `${name.slice(0, 8)}...${name.slice(11 - MAX_NAME)}`;
}

function ascii(text: string): string {
  return text.replace(/[^\u0020-\u007e]/gu, "?");
}
