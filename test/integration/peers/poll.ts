import { setTimeout as delay } from "node:timers/promises";

/**
 * Asks again and again until attempt gives a value; other processes announce nothing we could wait for.
 * @throws {Error} after timeoutMs, with the text of describe
 */
export async function poll<T>(
  attempt: () => T | undefined | Promise<T | undefined>,
  { timeoutMs, describe }: { readonly timeoutMs: number; readonly describe: () => string },
): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const value = await attempt();
    if (value !== undefined) return value;
    if (performance.now() >= end) throw new Error(describe());
    await delay(25);
  }
}
