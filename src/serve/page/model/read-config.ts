import { type ImageConfig, parseImageConfig } from "../../../oci/image-config.ts";
import { MAX_CONFIG_BYTES } from "../../../oci/limits.ts";
import type { ServedRegistry, StoredContent } from "../../content/served-registry.ts";

/**
 * A small blob, whole.
 *
 * @returns undefined for one that is damaged, absent, or larger than a config may be
 */
async function readSmallBlob(
  registry: ServedRegistry,
  blob: StoredContent | undefined,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  if (blob === undefined || blob.size > MAX_CONFIG_BYTES) return undefined;
  signal.throwIfAborted();
  const open = await registry.openBlob(blob);
  if (open === undefined) return undefined;
  const parts: Uint8Array[] = [];
  try {
    // A chunk is valid until the one after the next is requested.
    for await (const chunk of open.chunks({ start: 0, end: blob.size })) {
      signal.throwIfAborted();
      parts.push(new Uint8Array(chunk));
    }
  } catch {
    signal.throwIfAborted();
    // It is damaged, and the registry has noted it.
    return undefined;
  } finally {
    await open.close();
  }
  return Buffer.concat(parts);
}

/**
 * The config of an image.
 *
 * @returns undefined for what is no such config, damaged, absent, or too large
 */
export async function readConfig(
  registry: ServedRegistry,
  blob: StoredContent | undefined,
  signal: AbortSignal,
): Promise<ImageConfig | undefined> {
  const bytes = await readSmallBlob(registry, blob, signal);
  try {
    return bytes && parseImageConfig(bytes, "served registry");
  } catch {
    return undefined;
  }
}
