import { ArchiveError, type ImgpackError } from "../../errors.ts";
import type { Actions, Scope } from "../auth/scope.ts";
import { readBody } from "../http/read-body.ts";
import type { BulkRequest } from "../transport/bulk-connections.ts";
import type { ByteTaker } from "../transport/byte-taker.ts";
import type { TransportResponse } from "../transport/transport.ts";
import { readingAnswer } from "./registry-answer.ts";
import type { Call, RegistryClient } from "./registry-client.ts";
import type { RetryingOptions } from "./retries.ts";

/** A request below a repository. */
export interface RepositoryCall extends Omit<Call, "repository" | "verb" | "actions"> {
  /** Path below the repository, such as `manifests/latest`, or a whole URL that the registry gave. */
  readonly url: string | URL;
  /** As in messages; default "pull", or "push" for a repository that is opened for pushing. */
  readonly verb?: string | undefined;
  /** Default: the actions of the repository. */
  readonly actions?: Actions | undefined;
}

/** A repository of a registry, as requests and messages name it. */
export class Repository {
  readonly client: RegistryClient;
  /** Without the registry. Empty for what belongs to no repository: the API version and the catalog. */
  readonly name: string;
  /** What the run does in the repository. Every request asks for all of it, so that one token is enough. */
  readonly actions: Actions;

  constructor(client: RegistryClient, name: string, actions: Actions = "pull") {
    this.client = client;
    this.name = name;
    this.actions = actions;
  }

  /** `registry/name` */
  toString(): string {
    return this.name === "" ? this.client.registry : `${this.client.registry}/${this.name}`;
  }

  /** What tokens for this repository cover. */
  get scope(): Scope {
    return { repository: this.name, actions: this.actions };
  }

  /** @param path below the repository, such as `tags/list?n=10`. */
  urlOf(path: string): URL {
    return new URL(`/v2/${this.name === "" ? "" : `${this.name}/`}${path}`, this.client.base);
  }

  /** Sends a request whose answer has no interesting body, and retries transient failures. */
  async call(call: RepositoryCall): Promise<TransportResponse> {
    return await this.client.call(this.#complete(call));
  }

  /** Like `call`, without retries. */
  async callOnce(call: RepositoryCall): Promise<TransportResponse> {
    const response = await this.open(call);
    await response.body.dump();
    return response;
  }

  /**
   * Sends a request once. The body of the answer must be read or dumped.
   *
   * @throws ImgpackError for every status that `accept` does not list.
   */
  async open(call: RepositoryCall): Promise<TransportResponse> {
    return await this.client.open(this.#complete(call));
  }

  /** As `RegistryClient.download`. */
  async download(call: RepositoryCall, accept: BulkRequest["accept"], taker: ByteTaker): Promise<boolean> {
    return await this.client.download(this.#complete(call), accept, taker);
  }

  /**
   * The body of the answer to `call`, in memory.
   *
   * @param hint of the error above `maxBytes`; default: that the registry is at fault.
   * @throws RegistryError above `maxBytes`, NetworkError when the connection breaks.
   */
  async readBody(
    response: TransportResponse,
    call: RepositoryCall,
    maxBytes: number,
    hint = "The registry, or a proxy in front of it, is misconfigured or hostile.",
  ): Promise<Uint8Array> {
    const { bytes, isWhole, failure } = await readBody(response.body, maxBytes);
    if (isWhole) return bytes;
    if (failure !== undefined) {
      call.signal?.throwIfAborted();
      throw this.failure(failure.cause, call.what, call.verb);
    }
    return await readingAnswer(() => {
      throw new ArchiveError(
        "document-size",
        `Cannot accept ${call.what} from ${this}: found more than ${maxBytes} bytes, expected at most ${maxBytes}`,
        { hint },
      );
    });
  }

  /** Repeats `task` while it fails for transient reasons. @param what as in messages. */
  async retrying<T>(
    what: string,
    signal: AbortSignal | undefined,
    task: (attempt: number) => Promise<T>,
    options?: RetryingOptions,
  ): Promise<T> {
    return await this.client.retrying(what, signal, task, options);
  }

  /** As `RegistryClient.failure`. */
  failure(cause: unknown, what: string, verb: string = this.#verb, url?: URL): ImgpackError {
    return this.client.failure(cause, verb, what, this.name, url);
  }

  #complete(call: RepositoryCall): Call {
    const { verb = this.#verb, actions = this.actions } = call;
    const url = typeof call.url === "string" ? this.urlOf(call.url) : call.url;
    return { ...call, verb, actions, url, repository: this.name };
  }

  get #verb(): string {
    return this.actions === "pull" ? "pull" : "push";
  }
}
