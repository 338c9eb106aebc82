import { NotFoundError, RegistryError } from "../../../errors.ts";
import { quote } from "../../../util/format.ts";
import { array, fields, freeMap, string, unknown } from "../../../util/json/schema.ts";
import { type HeaderMap, headerList, headerText } from "../../http/headers.ts";
import { subject } from "../../http/network-error.ts";
import { hintingAtLost } from "../lost.ts";
import { TokenRenewal } from "../token-renewal.ts";
import { MAX_LIST_BYTES, type V1Answer, type V1Call } from "../v1-call.ts";
import { checkedTag, isLayerId } from "../v1-names.ts";
import { IMAGES, type V1RepositoryClient } from "../v1-repository-client.ts";
import type { V1Layer, V1LayerJson, V1Repository, V1Session, V1Store } from "../v1-store.ts";
import { type LayerRequest, MAX_LAYER_BYTES, openLayer } from "./layer-body.ts";
import { readDocument } from "./read-document.ts";

const MAX_ANCESTRY_BYTES = 1024 * 1024;
const MAX_CHECKSUMS = 16;
const CHECKSUM_HEADERS = ["x-docker-checksum", "x-docker-payload-checksum", "x-docker-checksum-payload"] as const;

type Read = Pick<V1Call, "what" | "path"> & Partial<V1Call>;

/** One repository of a v1 registry while it is read. */
export class V1RegistrySession implements V1Session {
  readonly store: V1Store;
  readonly repository: V1Repository;
  readonly #client: V1RepositoryClient;
  readonly #statedSizes: Map<string, number>;
  readonly #renewal: TokenRenewal;

  private constructor(store: V1Store, client: V1RepositoryClient, statedSizes: Map<string, number>) {
    this.#statedSizes = statedSizes;
    this.store = store;
    this.repository = client.repository;
    this.#client = client;
    this.#renewal = new TokenRenewal(client, async signal => await this.#announce(signal));
  }

  /**
   * Announces the repository to the index, which gives token and endpoints.
   *
   * @param statedSizes of layers, by id; shared by the sessions of a store.
   * @throws NotFoundError
   */
  static async open(
    store: V1Store,
    client: V1RepositoryClient,
    statedSizes: Map<string, number>,
    signal?: AbortSignal,
  ): Promise<V1RegistrySession> {
    const session = new V1RegistrySession(store, client, statedSizes);
    await session.#announce(signal);
    return session;
  }

  async tags(signal?: AbortSignal): Promise<readonly string[]> {
    const limits = { maxBytes: MAX_LIST_BYTES, signal, isFinal: isNotFound };
    const call = this.#call({ what: "tags", path: `${this.#path}/tags`, ...limits });
    let answer: V1Answer;
    try {
      answer = await this.#read(call);
    } catch (error) {
      // docker-registry says so of a repository without tags.
      if (error instanceof NotFoundError) return [];
      throw error;
    }
    if (!isArray(answer)) return [...readDocument(freeMap(unknown()), answer, call, `${this.#client}`).keys()];
    // As the Hub.
    const entries = readDocument(array(fields({ name: unknown() })), answer, call, `${this.#client}`);
    return [...new Set(entries.map(({ name }) => name))].filter(name => typeof name === "string");
  }

  async tag(tag: string, signal?: AbortSignal): Promise<string> {
    const path = `${this.#path}/tags/${checkedTag(tag)}`;
    const call = this.#call({ what: `tag ${tag}`, path, signal, isFinal: isNotFound });
    const id = idText(readDocument(unknown(), await this.#read(call), call, `${this.#client}`));
    return this.#checkedId(id, call);
  }

  async ancestry(id: string, signal?: AbortSignal): Promise<readonly string[]> {
    const call = this.#image(id, "ancestry", { maxBytes: MAX_ANCESTRY_BYTES, signal });
    return readDocument(array(string()), await this.#readPart(call), call, `${this.#client}`);
  }

  async json(id: string, signal?: AbortSignal): Promise<V1LayerJson> {
    const heads: HeaderMap[] = [];
    const call = this.#image(id, "json", { onRedirect: headers => heads.push(headers), signal });
    const { bytes, headers } = await this.#readPart(call);
    heads.push(headers);
    const sizes = heads.map(head => sizeIn(head)).filter(size => size !== undefined);
    const checksums = new Set(heads.flatMap(head => checksumsIn(head)));
    const [size] = sizes;
    if (size !== undefined) this.#statedSizes.set(id, size);
    return { id, bytes, checksums: [...checksums].slice(0, MAX_CHECKSUMS), size };
  }

  async layer(id: string, signal?: AbortSignal): Promise<V1Layer> {
    const call = this.#image(id, "layer", { headers: { "accept-encoding": "identity" } });
    const request: LayerRequest = {
      call,
      where: `${this.#client}`,
      statedSize: this.#statedSizes.get(id),
      retrying: async (stop, task) => await this.#client.retrying({ what: call.what, signal: stop }, task),
      open: async asked => await this.#renewal.run(async () => await this.#client.open(asked), asked.signal),
    };
    return await hintingAtLost(async () => await openLayer(request, signal));
  }

  get #path(): string {
    return `repositories/${this.repository.namespace}/${this.repository.name}`;
  }

  #call(read: Read): V1Call {
    return { verb: "read", method: "GET", accept: [200], ...read };
  }

  #image(id: string, part: "json" | "ancestry" | "layer", more: Partial<V1Call>): V1Call {
    const call = this.#call({ what: `${part} of ${quote(id)}`, path: `images/${id}/${part}`, ...more });
    this.#checkedId(id, call);
    return { ...call, what: `${part} of ${id}` };
  }

  /** @throws RegistryError for an id of a registry that must not become part of a request. */
  #checkedId(id: string, { verb, what }: V1Call): string {
    if (isLayerId(id)) return id;
    throw new RegistryError(
      `Cannot ${subject(verb, what, `${this.#client}`)}: found id ${quote(id)}, expected 64 or 16 hex digits`,
      { status: 200, hint: "The registry, or a proxy in front of it, is damaged or hostile." },
    );
  }

  async #read(call: V1Call): Promise<V1Answer> {
    return await this.#renewal.run(async () => await this.#client.call(call), call.signal);
  }

  async #readPart(call: V1Call): Promise<V1Answer> {
    return await hintingAtLost(async () => await this.#read(call));
  }

  async #announce(signal: AbortSignal | undefined): Promise<void> {
    // Only that it is a list: Quay and others send an empty one.
    readDocument(array(unknown()), await this.#client.announce(signal), IMAGES, `${this.#client}`);
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof NotFoundError;
}

function isArray({ bytes }: V1Answer): boolean {
  return Buffer.from(bytes.subarray(0, 64)).toString("latin1").trimStart().startsWith("[");
}

function idText(id: unknown): string {
  return typeof id === "string" ? id : JSON.stringify(id);
}

/** A hint: the Hub sent -1 for what it did not know. What no layer can have is none: disk space is planned with it. */
function sizeIn(headers: HeaderMap): number | undefined {
  const text = headerText(headers, "x-docker-size")?.trim() ?? "";
  return /^[0-9]{1,15}$/.test(text) && Number(text) <= MAX_LAYER_BYTES ? Number(text) : undefined;
}

/** Three names by age, any number of values; a proxy may have joined them. */
function checksumsIn(headers: HeaderMap): readonly string[] {
  return CHECKSUM_HEADERS.flatMap(name => headerList(headers, name))
    .flatMap(value => value.split(","))
    .map(value => value.trim())
    .filter(value => /^[\x21-\x7e]{1,256}$/.test(value));
}
