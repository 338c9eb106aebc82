import type { Descriptor } from "../oci/descriptor.ts";
import { MAX_MANIFEST_BYTES } from "../oci/limits.ts";
import type { ImageSource } from "./contracts.ts";
import { readBlob } from "./pump.ts";
import { verified } from "./verified.ts";

/**
 * The bytes of a manifest, at most 4 MiB. Its digest decides, and not the size that its index states: "docker manifest"
 * before Docker 18.09 wrote wrong sizes (docker/cli#1135).
 *
 * @param where names the source in error messages.
 */
export async function readManifestBytes(
  source: Pick<ImageSource, "blob">,
  descriptor: Descriptor,
  where: string,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const blob = await source.blob(descriptor, signal);
  return await readBlob(verified({ ...descriptor, size: blob.size }, blob, where), MAX_MANIFEST_BYTES, signal);
}
