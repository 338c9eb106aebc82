import { createHash } from "node:crypto";
import { blobChunks } from "../../../content/blob-chunks.ts";
import type { BlobSource, ImageSource } from "../../../content/contracts.ts";
import { verified } from "../../../content/verified.ts";
import { IntegrityError } from "../../../errors.ts";
import type { Descriptor } from "../../../oci/descriptor.ts";
import type { Digest } from "../../../oci/digest.ts";
import type { V1ChainJson } from "../../../oci/legacy/v1-chain-json.ts";
import { layerCompression } from "../../../oci/media-types.ts";
import type { V1PushLayer } from "../../../registry/v1/writing/push-v1.ts";
import { inflatedBlob } from "../../../transform/inflated-blob.ts";

/** Two blocks of zeros: what docker sends for a layer without files. */
const EMPTY_TAR = Buffer.alloc(1024);

/** A layer without files, of an image that has no layers. */
export function emptyLayer({ id, json }: V1ChainJson): V1PushLayer {
  return {
    id,
    json,
    size: async () => EMPTY_TAR.length,
    async *open() {
      yield EMPTY_TAR;
    },
  };
}

/**
 * A layer as a plain tar, which every docker that speaks v1 can read. A compressed layer is inflated and checked by its
 * diff_id on its way; its last part is sent when all has been checked.
 *
 * @param sizes of inflated layers that were measured, by digest.
 */
export function outgoingLayer(
  { id, json }: V1ChainJson,
  layer: Descriptor,
  diffId: Digest,
  source: Pick<ImageSource, "blob">,
  sizes: Map<Digest, number>,
): V1PushLayer {
  const what = `layer ${layer.digest}`;
  const isPlain = layerCompression(layer.mediaType) === "none";
  const blobOf = async (signal: AbortSignal | undefined): Promise<BlobSource> =>
    verified(layer, await source.blob(layer, signal), what);
  async function* open(signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const blob = await blobOf(signal);
    const plain = isPlain ? blob : inflatedBlob(blob, { compression: "detect", what });
    yield* checkedParts(blobChunks(plain, signal), diffId, what);
  }
  return {
    id,
    json,
    open,
    async size(isNeeded, signal) {
      if (isPlain) return layer.size;
      const known = sizes.get(layer.digest);
      // A second reading would be a second download. All servers of this protocol take chunks, which docker sends.
      if (known !== undefined || (!isNeeded && (await source.blob(layer, signal)).isRemote === true)) return known;
      let bytes = 0;
      for await (const part of open(signal)) bytes += part.length;
      sizes.set(layer.digest, bytes);
      return bytes;
    },
  };
}

async function* checkedParts(
  parts: AsyncIterable<Uint8Array>,
  diffId: Digest,
  what: string,
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let held: Uint8Array | undefined;
  for await (const part of parts) {
    hash.update(part);
    if (held !== undefined) yield held;
    // A part is valid until the next one is requested.
    held = Buffer.from(part);
  }
  const found = `sha256:${hash.digest("hex")}`;
  if (found !== diffId) {
    throw new IntegrityError(`Cannot accept ${what}: its tar is ${found}, expected ${diffId} as in the config`, {
      hint: "The image was damaged or altered: get it again from its source.",
    });
  }
  if (held !== undefined) yield held;
}
