import type { OnProgress } from "../content/progress.ts";
import { type ConnectOptions, connectRegistry } from "../registry/connect-registry.ts";
import type { RegistryClient } from "../registry/registry-client.ts";

/** How to reach registries: credentials and TLS, the same for each that a run names. */
export interface RegistryOptions {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Plain HTTP also for registries that are not loopback. */
  readonly plainHttp?: boolean | undefined;
  /** Accepts any certificate. */
  readonly insecure?: boolean | undefined;
  /** PEM certificates trusted beside the system's. */
  readonly ca?: string | undefined;
}

/** The registries of one run, each connected once. */
export class Registries implements AsyncDisposable {
  readonly #options: ConnectOptions;
  readonly #clients = new Map<string, Promise<RegistryClient>>();

  constructor(options: RegistryOptions, onProgress: OnProgress) {
    const { username, password, plainHttp, insecure, ca } = options;
    this.#options = {
      username,
      password,
      plainHttp,
      insecure,
      ca,
      onRetry: ({ attempt, waitMs, error }, what) =>
        onProgress({ kind: "retry", what, attempt, waitMs, message: error.message }),
    };
  }

  readonly clientFor = async (registry: string, signal?: AbortSignal): Promise<RegistryClient> => {
    const known = this.#clients.get(registry);
    if (known !== undefined) return await known;
    const client = connectRegistry(registry, this.#options, signal);
    this.#clients.set(registry, client);
    return await client;
  };

  /** Requests and body bytes sent so far, to all registries. */
  async traffic(): Promise<{ readonly requests: number; readonly bytesSent: number }> {
    let requests = 0;
    let bytesSent = 0;
    for (const { transport } of await Promise.all(this.#clients.values())) {
      requests += transport.requests;
      bytesSent += transport.bytesSent;
    }
    return { requests, bytesSent };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const clients = await Promise.allSettled(this.#clients.values());
    for (const client of clients)
      if (client.status === "fulfilled") await client.value.transport[Symbol.asyncDispose]();
  }
}
