// Stands in for node:timers/promises, so that retries cost no time: vitest.config.ts puts it there for the tests that
// share a process. Tests in a process of their own do it with
// vi.mock("node:timers/promises", async () => await import("./instant-waits.ts"));

// Not imported: that would import this file.
export const setImmediate: typeof import("node:timers/promises").setImmediate =
  process.getBuiltinModule("node:timers/promises").setImmediate;

/** Waits that were asked for, in milliseconds. */
export const waits: number[] = [];

/** Lasts one turn of the event loop, in which its signal can still end it. */
export async function setTimeout<T>(ms: number, value?: T, options: { signal?: AbortSignal } = {}): Promise<T> {
  if (options.signal?.aborted !== true) waits.push(ms);
  return await setImmediate(value as T, options);
}
