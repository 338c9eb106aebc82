import { escapeForeign, formatBytes, formatDuration } from "../../util/format.ts";
import type { BlobState } from "./progress-state.ts";
import { amount, bar, partOf } from "./totals-line.ts";
import { seconds, waitedHost } from "./waiting-text.ts";

/** Data of less time says nothing about the rest. */
const MIN_ESTIMATE_MS = 2000;

/** The parts of the line of a blob. */
export interface BlobText {
  /** `12.0 MiB of 64.0 MiB` */
  readonly amount: string;
  /** `, 10.0 MiB/s`, or what the blob waits for; empty in the first second. */
  readonly speed: string;
  /** `, 5 s left`, if that is known. */
  readonly left: string;
  /** Where the amount has no room: its part in percent, or what the blob waits for. */
  readonly short: string;
  /** Where even that has none. */
  readonly last: string;
  readonly isIdle: boolean;
  /** Absent without a size. */
  readonly bar: ((size: number) => string) | undefined;
}

export function blobText(blob: BlobState): BlobText {
  const { bytes, size, rate, idleMs, isIdle, ageMs } = blob;
  const part = partOf(bytes, size);
  const common = {
    isIdle,
    amount: amount(bytes, size),
    bar: part === undefined ? undefined : (columns: number) => bar(part, columns),
  };
  if (isIdle) {
    const host = waitedHost(blob);
    const waiting = `waiting${host === undefined ? "" : ` for ${escapeForeign(host)}`}, ${seconds(idleMs)}`;
    // The time says more than a part of a host.
    return { ...common, speed: `, ${waiting}`, left: "", short: waiting, last: `waiting, ${seconds(idleMs)}` };
  }
  const short = part === undefined ? formatBytes(bytes) : `${Math.floor(part * 100)} %`;
  const hasEstimate = rate !== undefined && rate > 0 && ageMs >= MIN_ESTIMATE_MS && bytes < size;
  return {
    ...common,
    speed: rate === undefined ? "" : `, ${formatBytes(rate)}/s`,
    left: hasEstimate ? `, ${formatDuration((size - bytes) / rate)} left` : "",
    short,
    last: short,
  };
}
