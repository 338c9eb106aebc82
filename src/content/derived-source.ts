import { isMissingBlob } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { bytesBlob } from "./blob.ts";
import type { ImageSource, Root } from "./contracts.ts";

/** The given source with some of its methods replaced. Disposing it disposes the given one. */
export function derivedSource(
  source: ImageSource,
  changes: Partial<Pick<ImageSource, "roots" | "blob" | "streamed" | "referrers">>,
): ImageSource {
  return {
    roots: signal => source.roots(signal),
    blob: async (descriptor, signal) => await source.blob(descriptor, signal),
    has: async (descriptor, signal) => await hasBlob(source, descriptor, signal),
    ...(source.referrers && { referrers: source.referrers.bind(source) }),
    confirm: async signal => await source.confirm?.(signal),
    streamed: source.streamed,
    [Symbol.asyncDispose]: async () => await source[Symbol.asyncDispose](),
    ...changes,
  };
}

/** Whether a source has a blob. */
export async function hasBlob(
  source: ImageSource,
  descriptor: Descriptor,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (source.has !== undefined) return await source.has(descriptor, signal);
  try {
    await source.blob(descriptor, signal);
    return true;
  } catch (error) {
    if (isMissingBlob(error)) return false;
    throw error;
  }
}

/** A list of roots as `ImageSource.roots`. */
export function rootsOf<R>(roots: readonly R[]): () => AsyncGenerator<R, void> {
  return async function* () {
    yield* roots;
  };
}

/** The blobs of a source, some of them from memory. */
export function blobsOf(source: ImageSource, bytesOf: (digest: Digest) => Uint8Array | undefined): ImageSource["blob"] {
  return async (descriptor, signal) => {
    const bytes = bytesOf(descriptor.digest);
    return bytes === undefined ? await source.blob(descriptor, signal) : bytesBlob(bytes);
  };
}

/** All roots of a source. */
export async function listRoots(source: ImageSource, signal: AbortSignal | undefined): Promise<readonly Root[]> {
  const roots: Root[] = [];
  for await (const root of source.roots(signal)) roots.push(root);
  return roots;
}
