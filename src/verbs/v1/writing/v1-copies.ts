import { noteTo } from "../../../content/progress.ts";
import { mapImageName } from "../../../oci/names/image-mapping.ts";
import { parseReference } from "../../../oci/reference.ts";
import { readV1Image } from "../../../registry/v1/read-v1-image.ts";
import { V1Checksum } from "../../../registry/v1/v1-checksum.ts";
import type { V1Layer, V1LayerJson, V1Session } from "../../../registry/v1/v1-store.ts";
import type { V1PushLayer } from "../../../registry/v1/writing/push-v1.ts";
import type { CopyToOptions } from "../../copy/copy-options.ts";
import { readMapping } from "../../options/mapping-options.ts";
import { formatRequested, type RequestedImage } from "../../requested/requested-image.ts";
import { expandV1, type V1Found } from "../expand-v1.ts";
import { refusePlatform } from "../refuse-platform.ts";
import { V1Stores } from "../v1-stores.ts";
import { checkedParts } from "./checked-parts.ts";
import type { V1CopyJob, V1CopyList, V1CopySource } from "./v1-copy-job.ts";
import { type V1Prefix, v1TargetBelow } from "./v1-prefix.ts";
import type { V1Target } from "./v1-target.ts";

/** Images of v1 registries and folders, which keep their ids and their JSON in another v1 registry. */
export class V1Copies implements V1CopySource {
  readonly #requested: readonly RequestedImage[];
  readonly #targetOf: (found: V1Found) => Required<V1Target>;
  readonly #options: CopyToOptions;
  readonly #stores: V1Stores;

  /** @param named references in the arguments of the call. @throws UsageError for options that v1 contradicts. */
  constructor(
    requested: readonly RequestedImage[],
    named: readonly string[],
    targetOf: (found: V1Found) => Required<V1Target>,
    options: CopyToOptions,
  ) {
    refusePlatform(options.platform);
    this.#requested = requested;
    this.#targetOf = targetOf;
    this.#options = options;
    this.#stores = new V1Stores(options, named);
    this.#stores.admit(requested.map(({ reference }) => reference));
  }

  async list(): Promise<V1CopyList> {
    const { onProgress, signal } = this.#options;
    const common = { stores: this.#stores, keepGoing: true, onNote: noteTo(onProgress), signal };
    const { images, failed } = await expandV1(this.#requested, common);
    return { jobs: images.map(found => this.#job(found)), failed };
  }

  #job(found: V1Found): V1CopyJob {
    const { source, name, tag } = found;
    const { onProgress, signal, v1Checksums = true } = this.#options;
    return {
      source,
      line: formatRequested({ reference: source, ...(name === undefined ? {} : { name }) }),
      identity: source,
      to: this.#targetOf(found),
      async copy(send) {
        const session = await found.session(signal);
        const { id, chain } = await readV1Image(session, tag, signal);
        await send({ id, chain: chain.map(({ json }) => storedLayer(session, json, v1Checksums, noteTo(onProgress))) });
        return {};
      },
    };
  }

  async requests(): Promise<number> {
    return await this.#stores.requests();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stores[Symbol.asyncDispose]();
  }
}

/** Where a v1 image goes below a prefix. Its own name keeps upper case. */
export function v1TargetOf(
  { source, store, repository, tag, name }: V1Found,
  below: V1Prefix,
  options: CopyToOptions,
): Required<V1Target> {
  const mapping = { registry: below.host, prefix: "", ...readMapping(options) };
  const { namespace, name: last } = repository;
  const own = namespace === "library" ? last : `${namespace}/${last}`;
  if (name !== undefined) {
    const named = parseReference(name);
    return { ...v1TargetBelow(below, mapImageName(named, mapping).repository, name), tag: named.tag ?? tag };
  }
  const isMapped = (options.layout ?? "path") !== "path" || (mapping.maps ?? []).length > 0;
  const path = isMapped
    ? mapImageName({ registry: store.registry, repository: own.toLowerCase() }, mapping).repository
    : own;
  return { ...v1TargetBelow(below, path === own.toLowerCase() ? own : path, source), tag };
}

/** A layer with the bytes that it has there, checked on its way; the last part is sent when all has been checked. */
function storedLayer(
  session: V1Session,
  json: V1LayerJson,
  isChecked: boolean,
  onNote: (message: string, isDetail?: boolean) => void,
): V1PushLayer {
  const { id } = json;
  let opened: Promise<V1Layer> | undefined;
  const layerOf = async (signal: AbortSignal | undefined): Promise<V1Layer> => {
    opened ??= session.layer(id, signal);
    return await opened;
  };
  return {
    id,
    json: json.bytes,
    async size(isNeeded, signal) {
      const { size } = await layerOf(signal);
      if (size !== undefined || !isNeeded) return size;
      let bytes = 0;
      for await (const part of (await session.layer(id, signal)).read(0, signal)) bytes += part.length;
      return bytes;
    },
    async *open(signal) {
      const layer = await layerOf(signal);
      opened = undefined;
      const checksum = new V1Checksum(json, {
        what: `layer ${id} of ${session.store.name}`,
        noChecksums: !isChecked,
        onNote,
      });
      yield* checkedParts(layer.read(0, signal), checksum);
    },
  };
}
