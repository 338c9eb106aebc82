import { AuthError, RegistryError } from "../../../errors.ts";
import { array, fields, nullish, type Schema, string } from "../../../util/json/schema.ts";
import { headerText } from "../../http/headers.ts";
import { subject } from "../../http/network-error.ts";
import type { ResponseContext } from "../../http/response-error.ts";
import { readDocument } from "../store/read-document.ts";
import { MAX_LIST_BYTES, type V1Answer, type V1Call } from "../v1-call.ts";
import type { V1Client } from "../v1-client.ts";
import type { V1RepositoryClient } from "../v1-repository-client.ts";
import type { V1Repository } from "../v1-store.ts";
import { askFor } from "./hub-answer.ts";

/** What an index has about one image of a repository; foreign text. */
export interface IndexedImage {
  readonly id: string;
  readonly checksum?: string | undefined;
  readonly tag?: string | undefined;
}

export type HubAccess = "read" | "write" | "delete";

const JSON_HEADERS = { "content-type": "application/json", accept: "application/json" };
const IMAGES: Schema<
  { readonly id: string; readonly checksum?: string | null | undefined; readonly Tag?: string | null | undefined }[]
> = array(fields({ id: string(), checksum: nullish(string()), Tag: nullish(string()) }));

/** A repository as an index knows it. */
export class HubRepository {
  /** What the index gave last: token and endpoints. */
  readonly session: V1RepositoryClient;
  readonly #path: string;
  readonly #signal: AbortSignal | undefined;
  readonly #client: V1Client;

  /** @param isLibrary sends the library form, without a namespace. */
  constructor(client: V1Client, repository: V1Repository, isLibrary: boolean, signal: AbortSignal | undefined) {
    this.session = client.repository(repository);
    this.#client = client;
    this.#path = `repositories/${isLibrary ? "" : `${repository.namespace}/`}${repository.name}`;
    this.#signal = signal;
  }

  /** `PUT …/`: creates the repository, or changes nothing. */
  async create(): Promise<void> {
    await this.#index({
      verb: "create",
      what: "repository",
      method: "PUT",
      path: `${this.#path}/`,
      headers: JSON_HEADERS,
      body: () => Buffer.from("[]"),
      accept: [200, 201],
    });
  }

  /** `GET …/images` */
  async images(): Promise<readonly IndexedImage[]> {
    const get = { verb: "read", what: "images", method: "GET", accept: [200], maxBytes: MAX_LIST_BYTES } as const;
    const call = { ...get, path: `${this.#path}/images` };
    const answer = await this.#index(call);
    return readDocument(IMAGES, answer, call, `${this.session}`).map(({ id, checksum, Tag }) => ({
      id,
      ...(checksum ? { checksum } : {}),
      ...(Tag ? { tag: Tag } : {}),
    }));
  }

  /** `PUT …/images`: adds images, and replaces checksums. @param document a JSON list. */
  async setImages(document: Uint8Array): Promise<void> {
    await this.#index({
      verb: "update",
      what: "images",
      method: "PUT",
      path: `${this.#path}/images`,
      headers: JSON_HEADERS,
      body: () => document,
      accept: [200, 204],
      wantsToken: false,
    });
  }

  /** `PUT …/auth`, with a token in place of a user, as registries do. @throws AuthError for a token of no use. */
  async authorize(token: string): Promise<void> {
    const call = {
      verb: "authorize",
      what: "token",
      method: "PUT",
      path: `${this.#path}/auth`,
      headers: { authorization: `Token ${token}`, accept: "application/json" },
      accept: [200],
      isAnonymous: true,
      secrets: [token],
      explain: ({ status }: ResponseContext) => (status === 401 || status === 403 ? this.#noToken(status) : undefined),
      signal: this.#signal,
    } as const;
    await askFor(this.#client, this.#signal, async () => await this.#client.call(call));
  }

  /** Deletes it, with all its tags, in one step or in three. @returns the registries that had its layers. */
  async delete(): Promise<readonly string[]> {
    const hasMore = await this.beginDeletion();
    const { endpoints } = this.session;
    if (hasMore) await this.finishDeletion();
    return endpoints;
  }

  /**
   * `DELETE …/`: the first step of a deletion.
   *
   * @returns false if it was the only one, as at a docker-registry without an index.
   */
  async beginDeletion(): Promise<boolean> {
    const { status } = await this.#index({ ...DELETE, path: `${this.#path}/`, accept: [200, 202, 204] });
    return status === 202;
  }

  /**
   * The second and the third step: the repository is deleted at each endpoint, then the index forgets it. An endpoint that
   * does not have it any more has done its part in an earlier run.
   *
   * @throws RegistryError if the index has given no token, or does not forget the repository.
   */
  async finishDeletion(): Promise<void> {
    const { namespace, name } = this.session.repository;
    if (this.session.token === undefined) throw this.#refused("no token in the answer of the index", "one", 202);
    const { endpoints } = this.session;
    const path = `repositories/${namespace}/${name}/`;
    await this.session.callEach({ ...DELETE, path, accept: [200, 202, 204, 404], signal: this.#signal });
    const headers = { "x-docker-endpoints": endpoints.join(", ") };
    // The answer to an earlier attempt may have been lost.
    const accept = [200, 202, 204, 404];
    const { status } = await this.#index({ ...DELETE, path: `${this.#path}/`, headers, accept, wantsToken: false });
    if (status === 202) throw this.#refused("the index still has it", "the end of its deletion", status);
  }

  /** A token for the registries. @throws RegistryError if the index gives none. */
  async token(access: HubAccess): Promise<string> {
    if (access === "write") await this.create();
    else if (access === "read") await this.images();
    else await this.#deletionToken();
    const { token } = this.session;
    if (token !== undefined) return token;
    throw this.#refused("no token in the answer", "one", 200, "read token");
  }

  /** A server that is its own index has no such token: it would delete at once. */
  async #deletionToken(): Promise<void> {
    const call = { verb: "read", what: "token", method: "GET", path: "_ping", accept: [200] } as const;
    const { headers } = await this.#client.call({ ...call, signal: this.#signal });
    const standalone = headerText(headers, "x-docker-registry-standalone")?.toLowerCase();
    const isAlone = standalone === undefined ? "x-docker-registry-version" in headers : /^(?:true|1)$/.test(standalone);
    if (isAlone) {
      throw this.#refused("a standalone registry, which deletes at once", "an index", 200, "read token");
    }
    if (await this.beginDeletion()) return;
    throw this.#refused("the server has deleted the repository", "a token", 200, "read token");
  }

  async #index(call: Omit<V1Call, "signal">): Promise<V1Answer> {
    const whole = { ...call, signal: this.#signal };
    return await askFor(this.#client, this.#signal, async () => await this.session.callIndex(whole));
  }

  #noToken(status: number): AuthError {
    return new AuthError(
      `Cannot authorize token for ${this.session}: status ${status}, expected the index to know it`,
      {
        hint: 'The token is of another repository, or has expired. "imgpack hub token --show" requests a new one.',
      },
    );
  }

  #refused(found: string, expected: string, status: number, action = "delete repository"): RegistryError {
    const [verb = "", what = ""] = action.split(" ");
    return new RegistryError(`Cannot ${subject(verb, what, `${this.session}`)}: ${found}, expected ${expected}`, {
      status,
    });
  }
}

const DELETE = { verb: "delete", what: "repository", method: "DELETE" } as const;
