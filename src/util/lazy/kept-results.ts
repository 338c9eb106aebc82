import { SingleFlight } from "./single-flight.ts";

/**
 * Results by key, each of one run, also if it fails. A caller that is aborted does not end the run for the others; if it was
 * the last one, the next caller starts over.
 */
export class KeptResults<T> {
  readonly #flights = new SingleFlight<T>();
  readonly #kept = new Map<string, Promise<T>>();

  /** @throws what `task` throws, or the reason of the abort. */
  async get(key: string, task: (signal: AbortSignal) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const kept = this.#kept.get(key);
    if (kept !== undefined) return await kept;
    const keeping = async (own: AbortSignal): Promise<T> => {
      const result = task(own);
      try {
        return await result;
      } finally {
        if (!own.aborted) this.#kept.set(key, result);
      }
    };
    return await this.#flights.run(key, keeping, signal);
  }
}
