import type { ImageSource, SettledRoot } from "../../../content/contracts.ts";
import { listRoots } from "../../../content/derived-source.ts";
import { readManifestBytes } from "../../../content/read-manifest-bytes.ts";
import { InternalError } from "../../../errors.ts";
import type { Descriptor } from "../../../oci/descriptor.ts";
import { parseManifest } from "../../../oci/manifest.ts";
import type { V1Image } from "../../../registry/v1/v1-image.ts";
import type { V1Session } from "../../../registry/v1/v1-store.ts";
import { v1ImageSource } from "../reading/v1-image-source.ts";
import type { KnownLayers } from "./known-layers.ts";

/** An image of which all layers are known: what it is in a registry. */
export interface PlannedImage {
  readonly source: ImageSource;
  readonly root: SettledRoot;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** @param manifestType for registries that refuse Docker's; default: Docker's, or OCI's where Docker has none. */
export async function planImage(
  session: V1Session,
  image: V1Image,
  known: KnownLayers,
  signal: AbortSignal,
  manifestType?: string,
): Promise<PlannedImage> {
  const { repack } = known;
  const named = { image, session, names: [image.tag] };
  const source = v1ImageSource([named], known.factsOf(image), { repack, manifestType });
  const [root] = await listRoots(source, signal);
  if (root?.kind !== "settled") throw new InternalError(`Cannot copy ${image.tag}: its layers are not known`);
  const bytes = await readManifestBytes(source, root.descriptor, "manifest", signal);
  const view = parseManifest(bytes, { where: root.descriptor.digest, announced: root.descriptor.mediaType });
  if (view.kind !== "image") throw new InternalError(`Cannot copy ${image.tag}: found an index, expected an image`);
  return { source, root, config: view.config, layers: view.layers };
}
