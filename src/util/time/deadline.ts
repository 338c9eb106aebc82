import { lastChance } from "./last-chance.ts";

/** A timer that is later than this says that the process stood still: SIGSTOP, or a laptop with a closed lid. */
export const STOOD_STILL_MS = 250;
/** A machine that is always late must not have deadlines without end. */
export const MAX_PAUSES = 3;

/** Milliseconds; only differences count. */
type Now = () => number;

/**
 * Calls `onLate` after `ms` milliseconds, unless the returned function is called before. Time in which the process stood still
 * is not the fault of the other side: the deadline then starts again, since nothing could come. Where it only just passed,
 * what has come in the meantime is read first.
 *
 * @returns ends the wait.
 */
export function startDeadline(ms: number, onLate: () => void, now: Now = () => performance.now()): () => void {
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  const start = (pauses: number): void => {
    const dueMs = now() + ms;
    timer = setTimeout(() => {
      if (now() - dueMs > STOOD_STILL_MS && pauses < MAX_PAUSES) start(pauses + 1);
      else lastChance(() => isOver, onLate);
    }, ms);
  };
  start(0);
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}

/** A signal that is to be disposed of when what it limits has ended. */
export interface DeadlineSignal extends Disposable {
  readonly signal: AbortSignal;
}

/** As `AbortSignal.timeout`, with the deadline of `startDeadline`. @param other aborts it, too. */
export function deadlineSignal(ms: number, other?: AbortSignal, now?: Now): DeadlineSignal {
  const late = new AbortController();
  const stop = startDeadline(ms, () => late.abort(new DOMException("no end in time", "TimeoutError")), now);
  return {
    signal: other === undefined ? late.signal : AbortSignal.any([other, late.signal]),
    [Symbol.dispose]: stop,
  };
}
