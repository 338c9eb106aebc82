import { listRoots } from "../../../content/derived-source.ts";
import { noteTo } from "../../../content/progress.ts";
import { UsageError } from "../../../errors.ts";
import { isV1Reference } from "../../../oci/legacy/has-v1.ts";
import { parseV1Reference } from "../../../oci/legacy/v1-reference.ts";
import { hostPlatform } from "../../../oci/platform.ts";
import { registrySource } from "../../../registry/registry-source.ts";
import { readV1Image } from "../../../registry/v1/read-v1-image.ts";
import { V1Checksum } from "../../../registry/v1/v1-checksum.ts";
import type { V1LayerJson, V1Session } from "../../../registry/v1/v1-store.ts";
import type { V1PushImage, V1PushLayer } from "../../../registry/v1/writing/push-v1.ts";
import { convertSchema1 } from "../../../transform/convert-schema1.ts";
import { quote } from "../../../util/format.ts";
import type { CopiedImage, CopyOptions, CopyResult } from "../../copy/copy-options.ts";
import { readPlatforms } from "../../options/read-platforms.ts";
import { createBlobCounter } from "../../shared/blob-counts.ts";
import { RegistryPool } from "../../shared/registry-pool.ts";
import { readableReference } from "../../shared/remote-image.ts";
import { V1Stores } from "../v1-stores.ts";
import { outgoingImage } from "./outgoing-image.ts";
import { V1PushRun } from "./v1-push-run.ts";
import { formatV1Target, parseV1Target } from "./with-v1-client.ts";

/**
 * `copy` into a v1 registry: an image of another registry, of an index the platform of this machine; or one of a v1 registry
 * or its folder, with the ids and the JSON that it has there.
 *
 * @throws as `copy`; ArchiveError for an image that v1 cannot hold.
 */
export async function copyToV1(source: string, target: string, options: CopyOptions): Promise<CopyResult> {
  const started = performance.now();
  const { host, repository, tag: chosen } = parseV1Target("copy to", target);
  const counter = createBlobCounter(options.onProgress ?? (() => undefined));
  const pushes = new V1PushRun(options, [...sourceHosts(source, options), host], counter.onProgress);
  const send = async (tag: string, image: Omit<V1PushImage, "tags">): Promise<string> => {
    if (options.dryRun !== true) await pushes.push(host, repository, [{ ...image, tags: [tag] }]);
    return formatV1Target({ host, repository, tag });
  };
  const { image, requests } = isV1Reference(source)
    ? await copyV1(source, chosen, options, send)
    : await copyOther(source, chosen, { ...options, onProgress: counter.onProgress }, send);
  return {
    images: [{ source, plannedBytes: 0, ...image }],
    blobs: counter.counts(),
    requests: requests + pushes.requests,
    bytesSent: pushes.bytesSent,
    seconds: (performance.now() - started) / 1000,
  };
}

/** None for a folder. */
function sourceHosts(source: string, { registry }: CopyOptions): readonly string[] {
  if (!isV1Reference(source)) return [readableReference(source, registry).registry];
  const { store } = parseV1Reference(source);
  return store.kind === "registry" ? [store.host] : [];
}

type Send = (tag: string, image: Omit<V1PushImage, "tags">) => Promise<string>;
type Copied = { readonly image: Pick<CopiedImage, "reference" | "digest" | "mediaType">; readonly requests: number };

async function copyOther(source: string, tag: string | undefined, options: CopyOptions, send: Send): Promise<Copied> {
  const { signal, onProgress = () => undefined } = options;
  const from = readableReference(source, options.registry);
  const platforms = readPlatforms("copy", options.platform, [hostPlatform()]);
  const [platform, ...others] = platforms === "all" ? [] : platforms;
  if (platform === undefined || others.length > 0) {
    throw new UsageError(`Cannot copy ${quote(source)} to a v1 registry: found several platforms, expected one`);
  }
  await using registries = new RegistryPool(options, [from.registry], onProgress);
  registries.admit([from.registry]);
  await using held = registrySource([from], registries.repositoryFor, { onNote: registries.note });
  const original = await listRoots(held, signal);
  const { source: converted, roots } = await convertSchema1(held, original, { onNote: noteTo(onProgress), signal });
  const [root] = roots;
  const [first] = original;
  if (root === undefined || first?.kind !== "settled")
    throw new UsageError(`Cannot copy ${quote(source)}: found no image`);
  const outgoing = await outgoingImage(
    root,
    [],
    quote(source),
    { source: converted, platform, sizes: new Map() },
    signal,
  );
  const reference = await send(tag ?? from.tag ?? "latest", outgoing);
  const { digest, mediaType } = first.descriptor;
  return { image: { reference, digest, mediaType }, requests: (await registries.traffic()).requests };
}

async function copyV1(source: string, chosen: string | undefined, options: CopyOptions, send: Send): Promise<Copied> {
  const { signal } = options;
  const { store: name, namespace, name: repository, glob, tag = "latest" } = parseV1Reference(source);
  if (glob !== undefined || namespace === undefined || repository === undefined || /[*?]/.test(tag)) {
    throw new UsageError(`Cannot copy ${quote(source)} to one name: found more than one image, expected one`);
  }
  await using stores = new V1Stores(options, [source]);
  stores.admit([source]);
  const store = await stores.storeFor(name, signal);
  const session = await store.open({ namespace, name: repository }, signal);
  const { id, chain } = await readV1Image(session, tag, signal);
  const check = options.v1Checksums !== false;
  const layers = chain.map(({ json }) => storedLayer(session, json, check, noteTo(options.onProgress)));
  const reference = await send(chosen ?? tag, { id, chain: layers });
  return { image: { reference }, requests: await stores.requests() };
}

/** A layer with the bytes that it has there, checked on its way; the last part is sent when all has been checked. */
function storedLayer(
  session: V1Session,
  json: V1LayerJson,
  isChecked: boolean,
  onNote: (message: string) => void,
): V1PushLayer {
  const { id } = json;
  let opened: Promise<Awaited<ReturnType<V1Session["layer"]>>> | undefined;
  const layerOf = async (signal: AbortSignal | undefined): ReturnType<V1Session["layer"]> => {
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
      let held: Uint8Array | undefined;
      for await (const part of layer.read(0, signal)) {
        checksum.take(part);
        if (held !== undefined) yield held;
        held = Buffer.from(part);
      }
      checksum.end();
      if (held !== undefined) yield held;
    },
  };
}
