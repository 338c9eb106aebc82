// A target in memory that writes down what happens to it.
import type { BlobSource, ImageTarget, PendingBlob, Presence, SettledRoot } from "../../src/content/contracts.ts";
import { pumpBlob } from "../../src/content/pump.ts";
import type { Descriptor } from "../../src/oci/descriptor.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { collect } from "./memory-blobs.ts";

export interface MemoryTarget extends ImageTarget {
  /** "has", "put", "pending", "commit", "disposed" with what they were about, in order. */
  readonly log: string[];
  readonly stored: Map<Digest, Uint8Array>;
  committed: readonly SettledRoot[];
}

export interface MemoryTargetOptions {
  readonly present?: ReadonlyMap<Digest, Presence>;
  /** Runs before a blob is taken; may throw or wait. */
  readonly onPut?: (digest: string, signal: AbortSignal | undefined) => Promise<void>;
  /** Times that each blob is sent anew from its beginning after it came through. */
  readonly resends?: number;
  readonly knowsDigestsOnly?: boolean;
}

export function memoryTarget(options: MemoryTargetOptions = {}): MemoryTarget {
  const { present = new Map<Digest, Presence>(), resends = 0 } = options;
  const log: string[] = [];
  const stored = new Map<Digest, Uint8Array>();
  const target: MemoryTarget = {
    log,
    stored,
    committed: [],
    async begin() {
      return {
        async has({ digest }: Descriptor) {
          log.push(`has ${digest}`);
          return present.get(digest) ?? "absent";
        },
        async put({ digest }: Descriptor, blob: BlobSource, signal?: AbortSignal) {
          log.push(`put ${digest}`);
          await options.onPut?.(digest, signal);
          for (let attempt = 0; attempt <= resends; attempt += 1) {
            const bytes = new Uint8Array(blob.size);
            await pumpBlob(blob, async (chunk, position) => bytes.set(chunk, position), signal);
            stored.set(digest, bytes);
          }
        },
        ...(options.knowsDigestsOnly === true
          ? {}
          : {
              async putPending(blob: PendingBlob, signal?: AbortSignal, onBytes?: (bytes: number) => void) {
                log.push(`pending ${blob.key}`);
                await options.onPut?.(blob.key, signal);
                let stream = await blob.open(signal, onBytes);
                let bytes = await collect(stream.body);
                for (let attempt = 0; attempt < resends; attempt += 1) {
                  stream = await blob.open(signal, onBytes);
                  bytes = await collect(stream.body);
                }
                const seal = stream.seal();
                stored.set(seal.descriptor.digest, bytes);
                return seal;
              },
            }),
        async commit(roots: readonly SettledRoot[]) {
          log.push(`commit ${roots.map(({ names, descriptor }) => `${names.join()}@${descriptor.digest}`).join(" ")}`);
          target.committed = roots;
        },
        async [Symbol.asyncDispose]() {
          log.push("disposed");
        },
      };
    },
  };
  return target;
}
