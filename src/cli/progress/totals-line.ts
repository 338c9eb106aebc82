import { formatBytes, formatDuration } from "../../util/format.ts";
import type { Count, ProgressState } from "./progress-state.ts";

const BAR_WIDTHS = [24, 10];

const STEPS: Readonly<Record<NonNullable<ProgressState["step"]>["step"], string>> = {
  images: "Looking up images",
  manifests: "Reading manifests",
  configs: "Reading configs",
  referrers: "Looking up signatures and SBOMs",
  names: "Looking up names",
  blobs: "Looking up blobs",
  commit: "Putting manifests and tags",
};

/** One line of totals, as long as it is. */
export function totalsText(state: ProgressState): string {
  const { step, verb, bytes, total, isGrowing, rate, secondsLeft } = state;
  if (step !== undefined)
    return `${STEPS[step.step]}${step.total === undefined ? `: ${step.done}` : ` ${countText(step)}`}`;
  const speed = rate === undefined ? "" : `, ${formatBytes(rate)}/s`;
  // Before any size is known.
  if (total === undefined && bytes === 0) return `${verb} ${counts(state)}`.replace(/,? $/, "");
  return `${verb} ${counts(state)}${amount(bytes, total, isGrowing)}${speed}${left(secondsLeft)}`;
}

/**
 * The same with a bar, in less than `columns`: a terminal starts a new line after its last column. What matters least is
 * left out first. All of it is ASCII, so that each character takes one column.
 */
export function totalsLine(state: ProgressState, columns: number): string {
  const { step, verb, bytes, total, isGrowing, images, secondsLeft } = state;
  const width = Math.max(0, columns - 1);
  const text = totalsText(state);
  if (step !== undefined) return barred(text, step.done, step.total, width) ?? text.slice(0, width);
  // Of a total that grows, a part would soon be less again.
  const grown = isSeveral(images) ? images : { done: bytes };
  const whole = isGrowing ? grown : { done: bytes, total };
  const part = partOf(whole.done, whole.total);
  const short = part === undefined || isGrowing ? formatBytes(bytes) : `${Math.floor(part * 100)} %`;
  const plain = `${verb} ${counts(state)}${amount(bytes, total, isGrowing)}${left(secondsLeft)}`;
  const bare = `${verb} ${amount(bytes, total, isGrowing)}${left(secondsLeft)}`;
  const lines = [plain, bare, `${verb} ${short}`, short];
  const fitting = barred(text, whole.done, whole.total, width) ?? lines.find(line => line.length <= width);
  return fitting ?? short.slice(0, width);
}

/** The widest bar with the text that fits, or the text alone; undefined if that does not fit. */
function barred(text: string, done: number, total: number | undefined, width: number): string | undefined {
  const part = partOf(done, total);
  const bars = part === undefined ? [] : BAR_WIDTHS.map(size => `${bar(part, size)} ${text}`);
  return [...bars, text].find(line => line.length <= width);
}

/** `[===       ]` */
export function bar(part: number, size: number): string {
  const full = Math.floor(part * size);
  return `[${"=".repeat(full)}${" ".repeat(size - full)}]`;
}

/** From 0 to 1; undefined without a total. */
export function partOf(done: number, total: number | undefined): number | undefined {
  return total === undefined || total === 0 ? undefined : Math.max(0, Math.min(1, done / total));
}

/** Images, if there are several; else blobs. */
function counts({ images, failed, blobs }: ProgressState): string {
  if (isSeveral(images)) return `${countText(images)} images, ${failed === 0 ? "" : `${failed} failed, `}`;
  return isSeveral(blobs) ? `${countText(blobs)} blobs, ` : "";
}

function isSeveral(count: Count | undefined): count is Count {
  return count?.total !== undefined && count.total > 1;
}

function countText({ done, total }: Count): string {
  return total === undefined ? `${done}` : `${done} of ${total}`;
}

/** `12.0 MiB of 64.0 MiB`. @param isLeast whether the total grows. */
export function amount(bytes: number, total: number | undefined, isLeast = false): string {
  if (total === undefined) return formatBytes(bytes);
  return `${formatBytes(bytes)} of ${isLeast ? "at least " : ""}${formatBytes(total)}`;
}

function left(seconds: number | undefined): string {
  return seconds === undefined ? "" : `, ${formatDuration(seconds)} left`;
}
