import type { ImageSource, Root } from "../../content/contracts.ts";
import { gather } from "../../copy/gather.ts";
import { checkPlatforms, rootPlatforms } from "../../copy/image-platforms.ts";
import { selectForRoots } from "../../copy/select-platforms.ts";
import type { Digest } from "../../oci/digest.ts";
import { isSchema1Type } from "../../oci/media-types.ts";
import type { Platform } from "../../oci/platform.ts";

export interface CheckRootOptions {
  readonly verb: "pull" | "lock";
  readonly platforms: readonly Platform[] | "all";
  /** False if the user chose them, so that an image of one platform must fit. */
  readonly isPlatformDefault: boolean;
  /** Is given the bytes of configs that were read. */
  readonly configs: Map<Digest, Uint8Array>;
}

/**
 * Reads the manifests of one image that are taken, so that one that cannot be taken does not stop the others. The source keeps
 * them: they are not requested again.
 *
 * @throws NotFoundError for an image without the platforms; otherwise as `gather`.
 */
export async function checkRoot(
  source: ImageSource,
  root: Root,
  { verb, platforms, isPlatformDefault, configs }: CheckRootOptions,
  signal: AbortSignal | undefined,
): Promise<void> {
  // It has no children, and its config is made from its layers.
  if (root.kind === "draft" || isSchema1Type(root.descriptor.mediaType)) return;
  const plan = await gather(source, [root], signal, selectForRoots([root], platforms, verb));
  const wanted = root.platforms ?? (isPlatformDefault ? "all" : platforms);
  if (wanted === "all") return;
  const found = await rootPlatforms(source, plan, root, signal, configs);
  checkPlatforms(wanted, found, `${verb} ${root.names[0] ?? root.descriptor.digest}`);
}
