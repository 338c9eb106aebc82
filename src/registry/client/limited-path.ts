import { ImgpackError, RegistryError } from "../../errors.ts";
import { abortable, deferred } from "../../util/promises.ts";
import { isTimeout } from "../http/network-error.ts";

export interface LimitedPathOptions<T> {
  /** @param attempts in total; undefined for as many as elsewhere. */
  readonly ask: (attempts: number | undefined) => Promise<T>;
  /** Sends another request to the same host, with all its retries. @throws if the host takes none. */
  readonly askOther: () => Promise<unknown>;
  readonly signal: AbortSignal | undefined;
}

/**
 * One kind of request, which a registry may limit while it takes all others. One who asks first finds out, and the others wait
 * for him: else each of a thousand images would use up all of its retries.
 */
export class LimitedPath {
  /** Of the one who asks while nothing is known. */
  #asking: Promise<void> | undefined;
  #hasAnswered = false;
  /** The last one has used up its retries: the next ones have none, until one is answered. */
  #isFailing = false;
  #limit: RegistryError | undefined;

  /**
   * @returns the last refusal if the registry limits this kind of request alone (429): all retries were refused, another
   *   request was taken, and one more was refused. If it has never answered one, none is sent any more.
   * @throws what `ask` and `askOther` throw.
   */
  async ask<T>(options: LimitedPathOptions<T>): Promise<T | RegistryError> {
    const { signal } = options;
    while (this.#asking !== undefined) await abortable(this.#asking, signal);
    if (this.#hasAnswered || this.#isFailing) return this.#limit ?? (await this.#ask(options));
    const asking = deferred<void>();
    this.#asking = asking.promise;
    try {
      return await this.#ask(options);
    } finally {
      this.#asking = undefined;
      asking.resolve();
    }
  }

  async #ask<T>({ ask, askOther, signal }: LimitedPathOptions<T>): Promise<T | RegistryError> {
    const isFailing = this.#isFailing;
    try {
      return await this.#noting(async () => await ask(isFailing ? 1 : undefined));
    } catch (error) {
      signal?.throwIfAborted();
      // A connection that breaks is no answer: it says nothing about this kind of request.
      if (isFailing && error instanceof ImgpackError && !isRefusal(error)) return await this.#noting(ask);
      if (!isLimit(error)) throw error;
      if (isFailing) return error;
      await askOther();
    }
    try {
      return await this.#noting(async () => await ask(1));
    } catch (error) {
      signal?.throwIfAborted();
      if (!isLimit(error)) throw error;
      if (!this.#hasAnswered) this.#limit = error;
      return error;
    }
  }

  /** Notes what an attempt says about this kind of request. */
  async #noting<T>(ask: (attempts?: number) => Promise<T>): Promise<T> {
    try {
      const answer = await ask();
      this.#hasAnswered = true;
      this.#isFailing = false;
      return answer;
    } catch (error) {
      if (!(error instanceof ImgpackError)) throw error;
      if (isRefusal(error)) this.#isFailing = true;
      else if (!error.transient) this.#hasAnswered = true;
      throw error;
    }
  }
}

function isLimit(error: unknown): error is RegistryError {
  return error instanceof RegistryError && error.status === 429;
}

/** A failure of this request while the host is there: it may answer other ones. */
function isRefusal(error: ImgpackError): boolean {
  return error.transient && (error instanceof RegistryError || isTimeout(error));
}
