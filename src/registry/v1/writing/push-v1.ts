import { createHash } from "node:crypto";
import { type ImgpackError, NetworkError, RegistryError } from "../../../errors.ts";
import { quote } from "../../../util/format.ts";
import { TokenRenewal } from "../token-renewal.ts";
import type { V1Answer, V1Call } from "../v1-call.ts";
import type { V1Client } from "../v1-client.ts";
import { checkedId, checkedTag } from "../v1-names.ts";
import type { V1RepositoryClient } from "../v1-repository-client.ts";
import type { V1Repository } from "../v1-store.ts";
import { compareKeptJson, readKeptJson, readKeptJsonAnew } from "./kept-json.ts";

/** A layer to push. */
export interface V1PushLayer {
  readonly id: string;
  /** Sent as it is: the checksum is over these bytes. */
  readonly json: Uint8Array;
  /**
   * Bytes that `open` gives; undefined if unknown, then they are sent in chunks. Asked only for a layer that is sent.
   *
   * @param isNeeded true if the registry takes no chunks: then it is worth a reading of its own.
   */
  size(isNeeded: boolean, signal?: AbortSignal): Promise<number | undefined>;
  /** Called for every attempt. */
  open(signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

export interface V1PushImage {
  readonly tags: readonly string[];
  /** Of the top layer. */
  readonly id: string;
  /** Base first; empty for an image that the registry has. */
  readonly chain: readonly V1PushLayer[];
}

export interface V1PushOptions {
  readonly onNote?: ((message: string) => void) | undefined;
  /** Called after each layer. @param bytes sent; 0 if the registry has it. */
  readonly onLayer?: ((layer: V1PushLayer, bytes: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The registry, and not the connection, has said no: another endpoint would have to be sent everything again. */
const isFinal = (error: unknown): boolean => !(error instanceof NetworkError);
const JSON_TYPE = { "content-type": "application/json" };

/**
 * Pushes images of one repository in the order of docker 1.9: announces all ids, then sends each layer, parents first, then
 * sets the tags, then lists ids and checksums at the index. No tag is set before all layers are there.
 *
 * @throws AuthError, NetworkError, RegistryError, NotFoundError; IntegrityError for an image that the registry has with
 * other JSON; UsageError for a name, id or tag that must not become part of a request.
 */
export async function pushV1(
  client: V1Client,
  repository: V1Repository,
  images: readonly V1PushImage[],
  options: V1PushOptions = {},
): Promise<void> {
  for (const { tags, id: top, chain } of images) {
    for (const tag of tags) checkedTag(tag);
    for (const id of [top, ...chain.map(layer => layer.id)]) checkedId(id);
  }
  const target = client.repository(repository);
  const push = new V1Push(client, target, images, options);
  const tagged: string[] = [];
  try {
    await push.announce(options.signal);
    const sent = new Set<string>();
    const tops = new Set(images.map(({ id }) => id));
    for (const { chain } of images) {
      for (const layer of chain) {
        if (sent.has(layer.id)) continue;
        sent.add(layer.id);
        await push.layer(layer, tops.has(layer.id));
      }
    }
    for (const { tags, id } of images) {
      for (const tag of tags) {
        await push.tag(tag, id);
        tagged.push(tag);
      }
    }
    await push.list();
  } catch (error) {
    const state = tagged.length === 0 ? "No tag was set" : `Only ${tagged.join(", ")} was set`;
    options.onNote?.(`${state} in ${target}, because the push failed. A second push sends only what is missing.`);
    throw error;
  }
}

/** One push into one repository. */
class V1Push {
  readonly #client: V1Client;
  readonly #target: V1RepositoryClient;
  readonly #images: readonly V1PushImage[];
  readonly #renewal: TokenRenewal;
  readonly #options: V1PushOptions;
  readonly #path: string;
  /** By id, of layers that were sent. */
  readonly #checksums = new Map<string, string>();

  constructor(client: V1Client, target: V1RepositoryClient, images: readonly V1PushImage[], options: V1PushOptions) {
    this.#client = client;
    this.#target = target;
    this.#images = images;
    this.#renewal = new TokenRenewal(target, async signal => await this.announce(signal));
    this.#options = options;
    const { namespace, name } = target.repository;
    this.#path = `repositories/${namespace}/${name}`;
  }

  async announce(signal: AbortSignal | undefined): Promise<void> {
    const call = this.#call("repository", `${this.#path}/`, json(this.#entries(true)));
    await this.#target.callIndex({ ...call, accept: [200, 201], signal });
  }

  async list(): Promise<void> {
    const call = this.#call("list of images", `${this.#path}/images`, json(this.#entries(false)));
    const headers = { ...call.headers, "x-docker-endpoints": this.#target.endpoints.join(",") };
    await this.#target.callIndex({ ...call, headers, accept: [200, 201, 204] });
  }

  async tag(tag: string, id: string): Promise<void> {
    const call = this.#call(`tag ${tag}`, `${this.#path}/tags/${tag}`, json(id));
    await this.#send({ ...call, accept: [200, 201, 204] });
  }

  /** @param isTop whether an image of the push has its id. */
  async layer(layer: V1PushLayer, isTop: boolean): Promise<void> {
    const { id, json: own } = layer;
    const { onNote = () => undefined, onLayer, signal } = this.#options;
    // A token for writing is refused here by docker-registry, so that anything but 200 means "perhaps not".
    let kept = await readKeptJson(this.#target, id, signal);
    const isThere = kept !== undefined || !(await this.#putJson(layer));
    if (isThere) {
      if (isTop) kept ??= await readKeptJsonAnew(this.#client, this.#target.repository, id, signal);
      compareKeptJson({ id, json: own, kept, isTop }, `${this.#target}`, onNote);
    }
    const bytes = isThere ? 0 : await this.#putLayer(layer);
    onLayer?.(layer, bytes);
  }

  /** @returns false if the registry has the layer. */
  async #putJson({ id, json: bytes }: V1PushLayer): Promise<boolean> {
    const call = this.#call(`layer ${id}`, `images/${id}/json`, bytes);
    const { status } = await this.#send({ ...call, accept: [200, 201, 204, 409] });
    return status !== 409;
  }

  /** @returns bytes of the layer. */
  async #putLayer(layer: V1PushLayer): Promise<number> {
    const { id } = layer;
    const { signal } = this.#options;
    let hash = createHash("sha256");
    let bytes = 0;
    async function* body(): AsyncGenerator<Uint8Array> {
      hash = createHash("sha256").update(layer.json).update("\n");
      bytes = 0;
      for await (const part of layer.open(signal)) {
        hash.update(part);
        bytes += part.length;
        yield part;
      }
    }
    const send = async (size: number | undefined): Promise<unknown> =>
      await this.#send({
        ...this.#call(`layer ${id}`, `images/${id}/layer`, new Uint8Array()),
        headers: {
          "content-type": "application/octet-stream",
          ...(size === undefined ? {} : { "content-length": String(size) }),
        },
        body,
        accept: [200, 201, 204],
      });
    try {
      await send(await layer.size(false, signal));
    } catch (error) {
      if (!(error instanceof RegistryError) || error.status !== 411) throw error;
      await send(await layer.size(true, signal));
    }
    const checksum = `sha256:${hash.digest("hex")}`;
    this.#checksums.set(id, checksum);
    await this.#send({
      ...this.#call(`checksum of layer ${id}`, `images/${id}/checksum`, new Uint8Array()),
      // 0.6 reads the first one, all others the second.
      headers: { "content-length": "0", "x-docker-checksum": checksum, "x-docker-checksum-payload": checksum },
      // The answer to an earlier attempt may have been lost: it has its checksum.
      accept: [200, 201, 204, 409],
      explain: ({ status }) => (status === 400 ? damaged(this.#target, id, checksum) : undefined),
    });
    return bytes;
  }

  async #send(call: V1Call): Promise<V1Answer> {
    return await this.#renewal.run(async () => await this.#target.call(call), call.signal);
  }

  /** One entry per tag of a top layer, and one per other layer. */
  #entries(isAnnounced: boolean): readonly object[] {
    const images = this.#images;
    const tagged = images.flatMap(({ id, tags }) => tags.map(Tag => ({ id, Tag })));
    const tops = new Set(tagged.map(({ id }) => id));
    const ids = [...new Set(images.flatMap(({ id, chain }) => [...chain.map(layer => layer.id), id]))];
    const others = ids.filter(id => !tops.has(id)).map(id => ({ id }));
    if (isAnnounced) return [...others, ...tagged];
    return [...others, ...tagged].map(({ id }) => {
      const checksum = this.#checksums.get(id);
      return { id, ...(checksum === undefined ? {} : { checksum }) };
    });
  }

  #call(what: string, path: string, body: Uint8Array): Omit<V1Call, "accept"> & { headers: Record<string, string> } {
    const headers = { ...JSON_TYPE, "content-length": String(body.length) };
    const { signal } = this.#options;
    return { verb: "push", what, method: "PUT", path, headers, body: () => body, isFinal, signal };
  }
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

function damaged(target: V1RepositoryClient, id: string, checksum: string): ImgpackError {
  return new RegistryError(
    `Cannot push layer ${id} to ${quote(`${target}`)}: status 400 for its checksum, expected it to have received ${checksum}`,
    { status: 400, hint: "Push again: the layer was damaged on its way, or an old server lost its session." },
  );
}
