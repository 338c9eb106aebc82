// Stands in for node:timers/promises where retries must not cost time:
// vi.mock("node:timers/promises", async () => await import("./instant-waits.ts"));

/** Waits that were asked for, in milliseconds. */
export const waits: number[] = [];

export async function setTimeout(
  ms: number,
  value?: unknown,
  options: { signal?: AbortSignal } = {},
): Promise<unknown> {
  options.signal?.throwIfAborted();
  waits.push(ms);
  return value;
}
