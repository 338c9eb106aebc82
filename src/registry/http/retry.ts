import { setTimeout as delay } from "node:timers/promises";
import { ImgpackError } from "../../errors.ts";

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
  readonly onRetry?: (event: RetryEvent) => void;
}

/**
 * Runs `task` until it succeeds, fails for good (`transient` is false) or has used up its attempts; the last error is
 * thrown unchanged. Waits double from `baseMs` to `maxMs`, unless an error names the time to retry.
 */
export async function retry<T>(task: (attempt: number) => Promise<T>, options: RetryOptions = {}): Promise<T> {
  const { attempts = 5, signal, sleep = sleepFor, isLasting, onRetry } = options;
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    try {
      return await task(attempt);
    } catch (error) {
      signal?.throwIfAborted();
      if (attempt >= attempts || !(error instanceof ImgpackError) || !error.transient) throw error;
      if (isLasting?.(error)) throw error;
      const waitMs = waitBefore(attempt, error, options);
      onRetry?.({ attempt, waitMs, error });
      await sleep(waitMs, signal);
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
