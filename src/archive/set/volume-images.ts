import type { Lock } from "../../bundle/lock/lock.ts";
import type { Root } from "../../content/contracts.ts";
import { readManifestBytes } from "../../content/read-manifest-bytes.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { parseManifest } from "../../oci/manifest.ts";
import { OCI_MANIFEST } from "../../oci/media-types.ts";
import type { ImageArchive } from "../archive-source.ts";

/**
 * The images of a set of volumes, as its lock names them. Those whose manifest is in a missing volume are among them, so that
 * no image is left out unsaid: reading it is an error that says which volume it is in.
 *
 * @param known descriptors in the `index.json` of the files.
 */
export async function volumeImages(
  lock: Lock,
  known: ReadonlyMap<Digest, Descriptor>,
  source: Pick<ImageArchive, "what" | "blob" | "hasBlob">,
  signal: AbortSignal | undefined,
): Promise<readonly Root[]> {
  const sizes = new Map(lock.blobs.map(({ digest, size }) => [digest, size]));
  const names = new Map<Digest, string[]>();
  for (const { name, digest, written = digest } of lock.images) {
    const own = names.get(written) ?? [];
    if (name !== "") own.push(name);
    names.set(written, own);
  }
  const images: Root[] = [];
  for (const [digest, own] of names) {
    const unread = { mediaType: OCI_MANIFEST, digest, size: sizes.get(digest) ?? 0 };
    const descriptor = known.get(digest) ?? {
      ...unread,
      mediaType: source.hasBlob(digest) ? await typeOf(unread, source, signal) : OCI_MANIFEST,
    };
    images.push({ kind: "settled", names: own, badNames: [], descriptor });
  }
  return images;
}

/** The manifest says itself what it is. */
async function typeOf(
  descriptor: Descriptor,
  source: Pick<ImageArchive, "what" | "blob">,
  signal: AbortSignal | undefined,
): Promise<string> {
  const bytes = await readManifestBytes(source, descriptor, source.what, signal);
  return parseManifest(bytes, { where: `${descriptor.digest} in ${source.what}` }).mediaType;
}
