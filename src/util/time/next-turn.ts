import { setImmediate } from "node:timers/promises";

/** Lets other work run, and a signal come, between parts of a long calculation. @throws the reason of the signal. */
export async function nextTurn(signal?: AbortSignal): Promise<void> {
  await setImmediate();
  signal?.throwIfAborted();
}
