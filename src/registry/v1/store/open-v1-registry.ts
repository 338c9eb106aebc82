import { NotFoundError, RegistryError } from "../../../errors.ts";
import { connectV1, type V1ConnectOptions } from "../connect-v1.ts";
import type { V1Client } from "../v1-client.ts";
import { checkedRepository } from "../v1-names.ts";
import type { V1Repository, V1Session, V1Store } from "../v1-store.ts";
import { pingV1, type V1Greeting } from "./ping-v1.ts";
import { searchV1 } from "./search-v1.ts";
import { V1RegistrySession } from "./v1-registry-session.ts";

/** A v1 registry, to read from it. */
export class V1Registry implements V1Store {
  readonly client: V1Client;
  readonly name: string;
  readonly registry: string;
  readonly host: string;
  readonly #onNote: (text: string) => void;
  #greeting: Promise<V1Greeting> | undefined;
  /** Of layers, by id. */
  readonly #statedSizes = new Map<string, number>();
  readonly #sessions = new Map<string, Promise<V1Session>>();

  constructor(client: V1Client, onNote: (text: string) => void = () => undefined) {
    this.client = client;
    this.registry = client.registry;
    this.host = client.registry;
    this.name = `v1://${client.registry}`;
    this.#onNote = onNote;
  }

  get requests(): number {
    return this.client.requests;
  }

  /** @throws RegistryError when this host does not serve the v1 API; AuthError when it wants a login. */
  async ping(signal?: AbortSignal): Promise<V1Greeting> {
    return await pingV1(this.client, signal);
  }

  repositories(signal?: AbortSignal): AsyncIterable<V1Repository> {
    return searchV1(this.client, this.#onNote, signal);
  }

  async open(repository: V1Repository, signal?: AbortSignal): Promise<V1Session> {
    const key = checkedRepository(repository);
    const known = this.#sessions.get(key);
    if (known !== undefined) return await known;
    const session = this.#announce(repository, signal);
    this.#sessions.set(key, session);
    // The next caller tries again: this one may only have been aborted.
    session.catch(() => this.#sessions.delete(key));
    return await session;
  }

  async #announce(repository: V1Repository, signal: AbortSignal | undefined): Promise<V1Session> {
    try {
      return await V1RegistrySession.open(this, this.client.repository(repository), this.#statedSizes, signal);
    } catch (error) {
      // The same status says that the API is gone, and one request for all repositories tells.
      if (!(error instanceof NotFoundError)) throw error;
      await this.#serves(signal);
      const hint =
        error.hint ??
        `Check the name: "imgpack catalog ${this.name}" lists the repositories, if the registry has a search.`;
      throw new NotFoundError(error.message, { hint, cause: error });
    }
  }

  async #serves(signal: AbortSignal | undefined): Promise<void> {
    this.#greeting ??= this.ping(signal);
    try {
      await this.#greeting;
    } catch (error) {
      this.#greeting = undefined;
      signal?.throwIfAborted();
      if (error instanceof RegistryError && !error.transient) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
  }
}

/**
 * A v1 registry for reading. Nothing is sent yet.
 *
 * @param registry `host[:port]`; docker.io is index.docker.io.
 * @throws UsageError as `connectV1`.
 */
export async function openV1Registry(
  registry: string,
  options: V1ConnectOptions = {},
  signal?: AbortSignal,
): Promise<V1Registry> {
  return new V1Registry(await connectV1(registry, options, signal), options.onNote);
}
