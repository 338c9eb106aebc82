import { abortable } from "../../util/promises.ts";

/** Pauses all requests to one host: when one request must wait, the others wait as well. */
export class HostGate {
  readonly #pauses = new Set<Promise<void>>();

  /** Closes the gate until `pause` settles, however it does. */
  closeUntil(pause: Promise<void>): void {
    const ended = pause.then(
      () => undefined,
      () => undefined,
    );
    this.#pauses.add(ended);
    void ended.then(() => this.#pauses.delete(ended));
  }

  /** Resolves while the gate is open. A waiting caller must hold nothing that others need. */
  async pass(signal?: AbortSignal): Promise<void> {
    while (this.#pauses.size > 0) await abortable(Promise.all(this.#pauses), signal);
  }
}
