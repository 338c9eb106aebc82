import { type RunPacedOptions, runPaced } from "../../util/pace/run-paced.ts";
import type { BlobClaims } from "./blob-claims.ts";

export interface RunClaimedOptions<T> extends RunPacedOptions {
  /** Default: nothing else is sent to the target at the same time. */
  readonly claims?: BlobClaims | undefined;
  /** Runs each wait for another copy. Default: nothing else happens meanwhile. */
  readonly aside?: ((wait: () => Promise<void>) => Promise<void>) | undefined;
  /** What two copies must not send at once. */
  readonly keyOf: (item: T) => string;
}

/**
 * Runs `task` over `items` as `runPaced` does. An item that another copy is sending comes after all others, when that copy has
 * sent it: no turn is spent on waiting.
 */
export async function runClaimed<T>(
  items: readonly T[],
  { claims, aside = async wait => await wait(), keyOf, ...options }: RunClaimedOptions<T>,
  task: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  if (claims === undefined) return await runPaced(items, options, task);
  for (let left = items; left.length > 0; ) {
    const later: T[] = [];
    await runPaced(left, options, async (item, signal) => {
      const release = claims.claim(keyOf(item));
      if (release === undefined) {
        later.push(item);
        return;
      }
      let isSent = false;
      try {
        await task(item, signal);
        isSent = true;
      } finally {
        release(isSent);
      }
    });
    if (later.length > 0)
      await aside(async () => {
        for (const item of later) await claims.released(keyOf(item), options.signal);
      });
    left = later;
  }
}
