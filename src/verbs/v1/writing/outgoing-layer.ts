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
import type { RawCheck } from "../../../transform/pack-layer.ts";
import { checkedParts } from "./checked-parts.ts";

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
    yield* checkedParts(blobChunks(plain, signal), diffIdCheck(diffId, what));
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

function diffIdCheck(diffId: Digest, what: string): RawCheck {
  const hash = createHash("sha256");
  return {
    take: part => void hash.update(part),
    end() {
      const found = `sha256:${hash.digest("hex")}`;
      if (found === diffId) return;
      throw new IntegrityError(`Cannot accept ${what}: its tar is ${found}, expected ${diffId} as in the config`, {
        hint: "The image was damaged or altered: get it again from its source.",
      });
    },
  };
}
