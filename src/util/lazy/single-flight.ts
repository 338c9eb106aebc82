import { abortable } from "../promises.ts";

interface Flight<T> {
  readonly promise: Promise<T>;
  readonly controller: AbortController;
  waiting: number;
  isSettled: boolean;
}

/** Concurrent callers with the same key share one run, which is aborted only when all of them have gone. */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>();

  async run(key: string, task: (signal: AbortSignal) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    signal?.throwIfAborted();
    const flight = this.#flights.get(key) ?? this.#start(key, task);
    flight.waiting += 1;
    try {
      return await abortable(flight.promise, signal);
    } finally {
      flight.waiting -= 1;
      if (flight.waiting === 0) {
        this.#forget(key, flight);
        // There is nothing to stop any more in most of them, and an abort makes an error with a stack.
        if (!flight.isSettled) flight.controller.abort();
      }
    }
  }

  #start(key: string, task: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const controller = new AbortController();
    const promise = task(controller.signal);
    const flight: Flight<T> = { promise, controller, waiting: 0, isSettled: false };
    this.#flights.set(key, flight);
    const onSettled = (): void => {
      flight.isSettled = true;
      this.#forget(key, flight);
    };
    // Also handles a rejection after the last caller has gone.
    promise.then(onSettled, onSettled);
    return flight;
  }

  #forget(key: string, flight: Flight<T>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}
