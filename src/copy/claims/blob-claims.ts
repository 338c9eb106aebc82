import { abortable, deferred } from "../../util/promises.ts";
import { PlannedBlobs } from "./planned-blobs.ts";

/** Says whether the blob is at the registry now. */
export type Release = (isSent: boolean) => void;

/**
 * Which blobs the copies of one call are sending to one registry. Others that need them wait until they are there, and then
 * find or mount them.
 */
export class BlobClaims {
  /** What the copies need, for their events. */
  readonly planned: PlannedBlobs = new PlannedBlobs();
  readonly #sending = new Map<string, Promise<void>>();
  readonly #sent = new Set<string>();

  /** @returns undefined while another copy is sending the blob. */
  claim(key: string): Release | undefined {
    if (this.#sent.has(key)) return () => undefined;
    if (this.#sending.has(key)) return undefined;
    const { promise, resolve } = deferred<void>();
    this.#sending.set(key, promise);
    return isSent => {
      this.#sending.delete(key);
      if (isSent) this.#sent.add(key);
      resolve();
    };
  }

  /** Resolves when no one is sending the blob. @throws the reason of the abort. */
  async released(key: string, signal: AbortSignal | undefined): Promise<void> {
    await abortable(this.#sending.get(key) ?? Promise.resolve(), signal);
  }
}
