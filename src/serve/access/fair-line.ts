/** One task at a time. The keys take turns, so that many tasks of one key do not delay those of the others. */
export class FairLine {
  readonly #lines = new Map<string, (() => Promise<void>)[]>();
  #isBusy = false;

  /** How many tasks of a key wait. */
  waiting(key: string): number {
    return this.#lines.get(key)?.length ?? 0;
  }

  async run<T>(key: string, task: () => Promise<T>): Promise<T> {
    return await new Promise<T>((resolve, reject) => {
      const line = this.#lines.get(key) ?? [];
      line.push(async () => await task().then(resolve, reject));
      this.#lines.set(key, line);
      if (!this.#isBusy) void this.#work();
    });
  }

  /** Never rejects: each task gives its error to the caller of `run`. */
  async #work(): Promise<void> {
    this.#isBusy = true;
    for (let [first] = this.#lines; first !== undefined; [first] = this.#lines) {
      const [key, line] = first;
      const next = line.shift();
      this.#lines.delete(key);
      // Behind the other keys.
      if (line.length > 0) this.#lines.set(key, line);
      await next?.();
    }
    this.#isBusy = false;
  }
}
