import { ImgpackError } from "../../errors.ts";
import { abortable, deferred } from "../../util/promises.ts";
import { PlannedBlobs } from "./planned-blobs.ts";

/** Says whether the blob is at the registry now. */
export type Release = (isSent: boolean) => void;

/** What became of the blobs of one registry. */
interface Registry {
  readonly planned: PlannedBlobs;
  readonly sending: Map<string, Promise<void>>;
  readonly sent: Set<string>;
  readonly failed: Map<string, Failure>;
}

interface Failure {
  readonly repositories: Set<string>;
  /** Repositories of which the failure says something about the others, too. */
  readonly elsewhere: Set<string>;
  readonly error: ImgpackError;
}

/** A blob that fails in so many repositories is not asked for in a third one. */
const ENOUGH_REPOSITORIES = 2;

/**
 * Which blobs the copies of one call are sending to one registry. Others that need them wait until they are there, and then
 * find or mount them.
 */
export class BlobClaims {
  readonly #registry: Registry;
  readonly #repository: string;

  constructor(repository = "", registry: Registry = newRegistry()) {
    this.#repository = repository;
    this.#registry = registry;
  }

  /** What the copies need, for their events. */
  get planned(): PlannedBlobs {
    return this.#registry.planned;
  }

  /** The same claims, for copies to another repository of the registry. */
  in(repository: string): BlobClaims {
    return new BlobClaims(repository, this.#registry);
  }

  /** @returns undefined while another copy is sending the blob. */
  claim(key: string): Release | undefined {
    const { sending, sent } = this.#registry;
    if (sent.has(key)) return () => undefined;
    if (sending.has(key)) return undefined;
    const { promise, resolve } = deferred<void>();
    sending.set(key, promise);
    return isSent => {
      sending.delete(key);
      if (isSent) sent.add(key);
      resolve();
    };
  }

  /** Resolves when no one is sending the blob. @throws the reason of the abort. */
  async released(key: string, signal: AbortSignal | undefined): Promise<void> {
    await abortable(this.#registry.sending.get(key) ?? Promise.resolve(), signal);
  }

  /**
   * Runs a task of a blob, unless that has failed at the target for good: in this repository; or in two others, for a reason
   * that is not theirs. A task that was aborted, or whose source failed, says nothing about the next.
   *
   * @param step of the work on the blob.
   * @throws what the task throws, or the error of the earlier one.
   */
  async attempt<T>(step: string, key: string, task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const name = `${step} ${key}`;
    const known = this.#registry.failed.get(name);
    if (known?.repositories.has(this.#repository) || (known?.elsewhere.size ?? 0) >= ENOUGH_REPOSITORIES)
      throw known?.error;
    try {
      return await task();
    } catch (error) {
      if (!signal.aborted && error instanceof ImgpackError && error.origin === "target") this.#note(name, error);
      throw error;
    }
  }

  #note(name: string, error: ImgpackError): void {
    const { failed } = this.#registry;
    const failure = failed.get(name) ?? { repositories: new Set(), elsewhere: new Set(), error };
    failure.repositories.add(this.#repository);
    // A refusal may be about the rights, or the quota, of one repository.
    if (error.transient) failure.elsewhere.add(this.#repository);
    failed.set(name, failure);
  }
}

function newRegistry(): Registry {
  return { planned: new PlannedBlobs(), sending: new Map(), sent: new Set(), failed: new Map() };
}
