import { AuthError } from "../../errors.ts";
import type { V1RepositoryClient } from "./v1-repository-client.ts";

/** Tokens end, and a rescue or a push takes hours: one that has worked and is refused is asked for again, once. */
export class TokenRenewal {
  readonly #client: Pick<V1RepositoryClient, "token">;
  readonly #announce: (signal: AbortSignal | undefined) => Promise<void>;
  /** Of a token that has worked. */
  #isProven = false;
  #renewal: Promise<void> | undefined;

  /** @param announce asks the index for a token of the same access. */
  constructor(client: Pick<V1RepositoryClient, "token">, announce: (signal: AbortSignal | undefined) => Promise<void>) {
    this.#client = client;
    this.#announce = announce;
  }

  /** @param task is run again with a new token. @throws as `task`, and as `announce`. */
  async run<T>(task: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const { token } = this.#client;
    try {
      const result = await task();
      if (this.#client.token === token) this.#isProven = true;
      return result;
    } catch (error) {
      if (!(error instanceof AuthError) || token === undefined) throw error;
      if (this.#client.token === token) {
        if (!this.#isProven) throw error;
        this.#renewal ??= this.#renew(signal);
        await this.#renewal;
        if (this.#client.token === token) throw error;
      }
      return await task();
    }
  }

  async #renew(signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#announce(signal);
      this.#isProven = false;
    } finally {
      this.#renewal = undefined;
    }
  }
}
