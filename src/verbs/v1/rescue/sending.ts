import type { Presence } from "../../../content/contracts.ts";
import type { Digest } from "../../../oci/digest.ts";
import { abortable, deferred } from "../../../util/promises.ts";

/**
 * Blobs that a run is sending, to whatever repository of its registry: others that need one wait, and ask again when it is
 * there. So each layer is read once, even if an earlier run knows its digest.
 */
export class Sending {
  readonly #ends = new Map<Digest, Promise<void>>();

  /** @param ask whether the repository has the blob. @returns "absent" to the one caller that is to send it, with `end`. */
  async find(
    digest: Digest,
    ask: () => Promise<Presence>,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly presence: Presence; readonly end?: () => void }> {
    for (;;) {
      await abortable(this.#ends.get(digest) ?? Promise.resolve(), signal);
      const presence = await ask();
      if (presence !== "absent") return { presence };
      if (this.#ends.has(digest)) continue;
      const { promise, resolve } = deferred<void>();
      this.#ends.set(digest, promise);
      const end = (): void => {
        if (this.#ends.get(digest) === promise) this.#ends.delete(digest);
        resolve();
      };
      return { presence, end };
    }
  }
}
