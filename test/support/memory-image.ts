// Images in memory: a source of roots and blobs, and documents to fill it with.
import { bytesBlob } from "../../src/content/blob.ts";
import type { BlobSource, ImageSource, Root } from "../../src/content/contracts.ts";
import { ArchiveError } from "../../src/errors.ts";
import { type Descriptor, describeBytes } from "../../src/oci/descriptor.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_LAYER_GZIP, OCI_MANIFEST } from "../../src/oci/media-types.ts";

export interface MemorySource extends ImageSource {
  /** What was asked for, in order. */
  readonly asked: Digest[];
  /** Adds a document or layer. */
  add(mediaType: string, content: string | Uint8Array | object): Descriptor;
  /** Adds a blob that behaves in its own way. */
  addBlob(descriptor: Descriptor, blob: BlobSource): Descriptor;
}

export function memorySource(roots: readonly Root[] = []): MemorySource {
  const blobs = new Map<Digest, BlobSource>();
  const asked: Digest[] = [];
  return {
    asked,
    add(mediaType, content) {
      const isBytes = typeof content === "string" || content instanceof Uint8Array;
      const bytes = Buffer.from(isBytes ? content : JSON.stringify(content));
      return this.addBlob(describeBytes(mediaType, bytes), bytesBlob(bytes));
    },
    addBlob(descriptor, blob) {
      blobs.set(descriptor.digest, blob);
      return descriptor;
    },
    async *roots() {
      yield* roots;
    },
    async blob({ digest }) {
      asked.push(digest);
      const blob = blobs.get(digest);
      if (blob === undefined) throw new ArchiveError("missing-blob", `Cannot read blob ${digest} from memory: absent`);
      return blob;
    },
    async [Symbol.asyncDispose]() {},
  };
}

export interface ImageParts {
  readonly layers?: readonly Descriptor[];
  readonly configType?: string;
  readonly extra?: object;
}

/** Adds an image whose config says `name`; one gzip layer of its own unless others are given. */
export function addImage(source: MemorySource, name: string, parts: ImageParts = {}): Descriptor {
  const config = source.add(parts.configType ?? OCI_CONFIG, { name });
  const layers = parts.layers ?? [source.add(OCI_LAYER_GZIP, `layer of ${name}`)];
  return source.add(OCI_MANIFEST, { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers, ...parts.extra });
}

export function addIndex(source: MemorySource, manifests: readonly object[]): Descriptor {
  return source.add(OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests });
}

export function settledRoot(descriptor: Descriptor, ...names: readonly string[]): Root {
  return { kind: "settled", names, descriptor };
}

/** A source whose only root is a draft with one raw layer. */
export function layerDraft(digest: Digest, blob: BlobSource): ImageSource {
  const layer: Descriptor = { mediaType: OCI_LAYER, digest, size: blob.size };
  const config: Descriptor = { mediaType: OCI_CONFIG, digest: `sha256:${"0".repeat(64)}`, size: 2 };
  const source = memorySource([
    { kind: "draft", names: ["latest"], draft: { mediaType: OCI_MANIFEST, config, layers: [layer] } },
  ]);
  source.addBlob(layer, blob);
  return source;
}
