import { formatBytes, formatDuration } from "../../util/format.ts";

/** What a line of progress shows. */
export interface ProgressState {
  /** What is done at the moment, such as "Pushing". */
  readonly verb: string;
  /** Bytes that are done; those that need not be moved count. */
  readonly bytes: number;
  /** Absent if the end is not known. */
  readonly total: number | undefined;
  /** Bytes per second; absent before the first second. */
  readonly rate: number | undefined;
  /** Absent if it cannot be known yet. */
  readonly secondsLeft: number | undefined;
}

const BAR_WIDTHS = [24, 10];

/** One line of progress, as long as it is. */
export function progressText({ verb, bytes, total, rate, secondsLeft }: ProgressState): string {
  const speed = rate === undefined ? "" : `, ${formatBytes(rate)}/s`;
  return `${verb} ${amount(bytes, total)}${speed}${left(secondsLeft)}`;
}

/**
 * The same with a bar, in less than `columns`: a terminal starts a new line after its last column. What matters least is
 * left out first. All of it is ASCII, so that each character takes one column.
 */
export function progressBar(state: ProgressState, columns: number): string {
  const { verb, bytes, total, secondsLeft } = state;
  const width = Math.max(0, columns - 1);
  const text = progressText(state);
  const part = total === undefined || total === 0 ? undefined : Math.min(1, bytes / total);
  const bars = part === undefined ? [] : BAR_WIDTHS.map(size => `${bar(part, size)} ${text}`);
  const short = part === undefined ? formatBytes(bytes) : `${Math.floor(part * 100)} %`;
  const lines = [...bars, text, `${verb} ${amount(bytes, total)}${left(secondsLeft)}`, `${verb} ${short}`, short];
  return lines.find(line => line.length <= width) ?? short.slice(0, width);
}

function amount(bytes: number, total: number | undefined): string {
  return total === undefined ? formatBytes(bytes) : `${formatBytes(bytes)} of ${formatBytes(total)}`;
}

function left(seconds: number | undefined): string {
  return seconds === undefined ? "" : `, ${formatDuration(seconds)} left`;
}

function bar(part: number, size: number): string {
  const full = Math.floor(part * size);
  return `[${"=".repeat(full)}${" ".repeat(size - full)}]`;
}
