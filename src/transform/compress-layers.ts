import { gzipBlock, gzipBlockHere } from "../compress/gzip-blocks.ts";
import { GZIP_BLOCK_BYTES, type GzipProfile } from "../compress/gzip-profile.ts";
import { mapChunks } from "../content/blob-chunks.ts";
import { createBlobHash } from "../content/blob-hash.ts";
import { sharedChunks } from "../content/chunks.ts";
import type { ImageSource, PendingBlob, Root, Seal } from "../content/contracts.ts";
import { readBlob } from "../content/pump.ts";
import { isPending } from "../content/settle.ts";
import { IntegrityError, InternalError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { digestAlgorithm } from "../oci/digest.ts";
import { parseManifest } from "../oci/manifest.ts";
import { isImageConfigType, isImageManifestType, layerCompression, toGzipLayerType } from "../oci/media-types.ts";
import { allEnded } from "../util/abort.ts";

/** More than enough for a member without content. */
const EMPTY_MEMBER_BYTES = 64;

/**
 * Raw layers become gzip on their way out, as `docker push` does; layers that are compressed already stay as they are.
 * A settled image with raw layers becomes a draft: its digest changes, which the copy reports.
 */
export function compressLayers(source: ImageSource, profile: GzipProfile): ImageSource {
  return {
    async *roots(signal) {
      for await (const root of source.roots(signal)) yield await compressRoot(source, root, profile, signal);
    },
    blob: async (descriptor, signal) => await source.blob(descriptor, signal),
    stream: source.stream,
    [Symbol.asyncDispose]: async () => await source[Symbol.asyncDispose](),
  };
}

async function compressRoot(
  source: ImageSource,
  root: Root,
  profile: GzipProfile,
  signal: AbortSignal | undefined,
): Promise<Root> {
  const draft = root.kind === "draft" ? root.draft : await draftOf(source, root.descriptor, signal);
  if (draft === undefined || !draft.layers.some(layer => !isPending(layer) && isRaw(layer))) return root;
  const layers = draft.layers.map(layer =>
    isPending(layer) || !isRaw(layer) ? layer : compressedLayer(source, layer, profile),
  );
  return { kind: "draft", names: root.names, draft: { ...draft, layers } };
}

async function draftOf(
  source: ImageSource,
  descriptor: Descriptor,
  signal: AbortSignal | undefined,
): Promise<Extract<Root, { kind: "draft" }>["draft"] | undefined> {
  if (!isImageManifestType(descriptor.mediaType)) return undefined;
  const bytes = await readBlob(await source.blob(descriptor, signal), descriptor.size, signal);
  const view = parseManifest(bytes, { where: descriptor.digest, announced: descriptor.mediaType });
  // A draft has no room for what else a manifest may say, and the layers of an artifact are not a root filesystem.
  if (view.kind !== "image" || !isImageConfigType(view.config.mediaType)) return undefined;
  if (view.subject !== undefined || view.artifactType !== undefined) return undefined;
  const { mediaType, config, layers, annotations } = view;
  return { mediaType, config, layers, ...(annotations === undefined ? {} : { annotations }) };
}

function isRaw(layer: Descriptor): boolean {
  return layerCompression(layer.mediaType) === "none";
}

function compressedLayer(source: ImageSource, layer: Descriptor, profile: GzipProfile): PendingBlob {
  const mediaType = gzipType(layer);
  return {
    key: `pending:${layer.digest}+${profile.name}`,
    mediaType,
    sourceBytes: layer.size,
    origin: layer,
    async open(signal, onBytes, from) {
      const blob = from ?? (await source.blob(layer, signal));
      const rawHash = createBlobHash(digestAlgorithm(layer.digest), layer.size);
      const gzipHash = createBlobHash("sha256", layer.size);
      const gzip = layer.size > GZIP_BLOCK_BYTES ? gzipBlock : gzipBlockHere;
      let seal: Seal | undefined;
      async function* body(): AsyncGenerator<Uint8Array, void> {
        let size = 0;
        const compressBlock = async (chunk: Uint8Array, position: number): Promise<Uint8Array> => {
          // Equal layers give equal digests only if blocks begin at the same bytes.
          if (position % GZIP_BLOCK_BYTES !== 0)
            throw new InternalError(`Cannot compress layer from archive: block at ${position}`);
          const [member] = await allEnded([gzip(chunk, sharedChunks.spare(chunk), profile), rawHash.update(chunk)]);
          onBytes?.(chunk.length);
          return member;
        };
        try {
          for await (const member of mapChunks(blob, compressBlock, signal)) {
            size += member.length;
            await gzipHash.update(member);
            yield member;
          }
          if (layer.size === 0) {
            const member = await gzip(new Uint8Array(0), new Uint8Array(EMPTY_MEMBER_BYTES), profile);
            size = member.length;
            await gzipHash.update(member);
            yield member;
          }
          const diffId = await rawHash.digest();
          const digest = await gzipHash.digest();
          if (diffId !== layer.digest) throw wrongDiffId(layer, diffId);
          seal = { descriptor: { mediaType, digest, size }, diffId };
        } finally {
          if (seal === undefined) await Promise.all([rawHash.drop(), gzipHash.drop()]);
        }
      }
      return {
        body: body(),
        seal() {
          if (seal === undefined) throw new InternalError("Cannot seal layer from archive: its end was not reached");
          return seal;
        },
      };
    },
  };
}

function gzipType({ mediaType }: Descriptor): string {
  const type = toGzipLayerType(mediaType);
  if (type === undefined) throw new InternalError(`Cannot compress layer from archive: ${mediaType} has no gzip form`);
  return type;
}

function wrongDiffId(layer: Descriptor, found: string): IntegrityError {
  return new IntegrityError(`Cannot accept layer from archive: diff_id is ${found}, expected ${layer.digest}`, {
    hint: "The archive was damaged or altered after it was saved: compare its checksum with the sender's and copy it again.",
  });
}
