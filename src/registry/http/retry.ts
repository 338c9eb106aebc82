import { setTimeout as delay } from "node:timers/promises";
import { ImgpackError } from "../../errors.ts";

/** Waits for a host that serves others are not longer than the one after this attempt. */
const MAX_SPARED_DOUBLINGS = 4;

/** Part of an error whose answer names the time to retry. */
export interface RetryHint {
  /** Milliseconds from the creation of the error. */
  readonly retryAfterMs: number;
}

export interface RetryEvent {
  /** The failed attempt; the first is 1. */
  readonly attempt: number;
  readonly waitMs: number;
  readonly error: ImgpackError;
}

export interface RetryOptions {
  /** Attempts in total; default 5. */
  readonly attempts?: number | undefined;
  readonly baseMs?: number;
  readonly maxMs?: number;
  /** Share by which a wait varies in both directions, so that many clients do not retry together. */
  readonly jitter?: number;
  readonly random?: () => number;
  readonly sleep?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  readonly signal?: AbortSignal | undefined;
  /** True for a transient failure that another attempt does not help against. */
  readonly isLasting?: (error: ImgpackError) => boolean;
  /** True for a failure that may not count as an attempt: `isSpared` tells after the wait. */
  readonly mayBeSpared?: (error: ImgpackError) => boolean;
  readonly isSpared?: (error: ImgpackError) => boolean;
  readonly onRetry?: (event: RetryEvent) => void;
}

/**
 * Runs `task` until it succeeds, fails for good (`transient` is false) or has used up its attempts; the last error is
 * thrown unchanged. Waits double from `baseMs` to `maxMs`, unless an error names the time to retry.
 */
export async function retry<T>(task: (attempt: number) => Promise<T>, options: RetryOptions = {}): Promise<T> {
  const { attempts = 5, signal, sleep = sleepFor, isLasting, mayBeSpared, isSpared, onRetry } = options;
  let spared = 0;
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    try {
      return await task(attempt);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof ImgpackError) || !error.transient) throw error;
      const isLast = attempt - spared >= attempts || isLasting?.(error) === true;
      const isSparable = mayBeSpared?.(error) === true;
      if (isLast && !isSparable) throw error;
      const waitMs = waitBefore(Math.max(attempt - spared, Math.min(attempt, MAX_SPARED_DOUBLINGS)), error, options);
      onRetry?.({ attempt, waitMs, error });
      await sleep(waitMs, signal);
      if (isSparable && isSpared?.(error) === true) spared += 1;
      else if (isLast) throw error;
    }
  }
}

function waitBefore(attempt: number, error: ImgpackError, options: RetryOptions): number {
  const { baseMs = 1000, maxMs = 60_000, jitter = 0.2, random = Math.random } = options;
  // Servers that are still overloaded send "Retry-After: 0": it does not disable the backoff.
  if (hasRetryHint(error) && error.retryAfterMs > 0) return error.retryAfterMs;
  const plain = Math.min(maxMs, baseMs * 2 ** (attempt - 1));
  return Math.round(plain * (1 + jitter * (2 * random() - 1)));
}

function hasRetryHint(error: object): error is RetryHint {
  return "retryAfterMs" in error && typeof error.retryAfterMs === "number";
}

/** Waits; rejects with the signal's reason. */
export async function sleepFor(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    // The timer wraps the reason in an error of its own.
    signal?.throwIfAborted();
    throw error;
  }
}
