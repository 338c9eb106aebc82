import { type Operation, type Watcher, watchOperations } from "../../src/util/operation-hook.ts";

/** What was done, with the instants of its beginning and its end. Instants are whole numbers, one for each event. */
export interface LoggedOperation extends Operation {
  readonly start: number;
  /** Infinity when the process ended in the middle. */
  end: number;
}

/** The process is gone: nothing that it still tries has an effect. */
export class KilledError extends Error {}

/** Writes down what passes the hook, over several runs. */
export class OperationLog {
  readonly operations: LoggedOperation[] = [];
  #instant = 0;

  /** The instant behind the last event. */
  get instants(): number {
    return this.#instant + 1;
  }

  /**
   * @param killAt the operation, counted from 0 in this run, that the process does not live to do; of a write it does
   *   half when `isTorn`.
   * @returns what `run` came to, and how many operations it did.
   */
  async record(
    run: () => Promise<unknown>,
    killAt: number = Number.POSITIVE_INFINITY,
    isTorn = false,
  ): Promise<{ readonly error: unknown; readonly count: number }> {
    let count = 0;
    const watch: Watcher = async (operation, perform) => {
      const index = count;
      count += 1;
      if (index > killAt) throw new KilledError();
      let { bytes } = operation;
      if (index === killAt) {
        if (!isTorn || bytes === undefined || bytes.length < 2) throw new KilledError();
        bytes = bytes.subarray(0, Math.floor(bytes.length / 2));
      }
      const logged: LoggedOperation = {
        ...operation,
        ...(bytes === undefined ? {} : { bytes: bytes.slice() }),
        start: this.#next(),
        end: Number.POSITIVE_INFINITY,
      };
      const result = await perform(bytes);
      logged.end = this.#next();
      this.operations.push(logged);
      if (index === killAt) throw new KilledError();
      return result;
    };
    watchOperations(watch);
    try {
      await run();
      return { error: undefined, count };
    } catch (error) {
      return { error, count };
    } finally {
      watchOperations(undefined);
      this.operations.sort((left, right) => left.start - right.start);
    }
  }

  #next(): number {
    this.#instant += 1;
    return this.#instant;
  }
}
