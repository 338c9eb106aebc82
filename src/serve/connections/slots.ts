import type { Socket } from "node:net";

/** Gives its slot back. May be called twice. */
export type Release = () => void;

/** At most `count` requests at a time; the others wait in line, in the order in which they came. */
export class Slots {
  readonly #count: number;
  #free: number;
  readonly #line = new Set<() => void>();
  readonly #onWait: () => void;

  /** @param onWait is called when a request has to wait; it may end another one */
  constructor(count: number, onWait: () => void = () => undefined) {
    this.#count = count;
    this.#free = count;
    this.#onWait = onWait;
  }

  get running(): number {
    return this.#count - this.#free;
  }

  get waiting(): number {
    return this.#line.size;
  }

  /** @returns undefined if the connection is closed before there is a slot. */
  async acquire(socket: Socket): Promise<Release | undefined> {
    if (socket.destroyed) return undefined;
    if (this.#free > 0) {
      this.#free -= 1;
    } else if (!(await this.#wait(socket))) {
      return undefined;
    }
    let isHeld = true;
    return () => {
      if (isHeld) this.#release();
      isHeld = false;
    };
  }

  async #wait(socket: Socket): Promise<boolean> {
    return await new Promise<boolean>(resolve => {
      const onClose = (): void => {
        this.#line.delete(next);
        resolve(false);
      };
      const next = (): void => {
        socket.off("close", onClose);
        resolve(true);
      };
      socket.once("close", onClose);
      this.#line.add(next);
      this.#onWait();
    });
  }

  #release(): void {
    const [next] = this.#line;
    if (next === undefined) {
      this.#free += 1;
    } else {
      this.#line.delete(next);
      next();
    }
  }
}
