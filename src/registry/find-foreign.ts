import { NotFoundError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { blobSize } from "./api/blobs.ts";
import type { Repository } from "./client/repository.ts";
import { findForeignUrl } from "./download/foreign-url.ts";

/**
 * Where a foreign layer is: true for the registry itself, false for nowhere.
 *
 * @param foreign "fetch" also looks at the URLs that the image names.
 */
export async function findForeign(
  repository: Repository,
  descriptor: Descriptor,
  foreign: "skip" | "fetch" | undefined,
  signal: AbortSignal | undefined,
): Promise<boolean | URL> {
  try {
    await blobSize(repository, descriptor.digest, signal);
    return true;
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    return foreign === "fetch" ? await findForeignUrl(repository, descriptor, signal) : false;
  }
}
