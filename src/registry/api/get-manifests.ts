import { NotFoundError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { runBounded } from "../../util/task-group.ts";
import type { Repository } from "../client/repository.ts";
import type { FetchedManifest, ReadManifest } from "./get-manifest.ts";

const MANIFESTS_AT_ONCE = 4;

/**
 * Reads manifests below a root.
 *
 * @param read as `getManifest`.
 * @param digests that of the root may be among them.
 * @returns the others, in their order.
 * @throws NotFoundError that names all that the repository does not have; as `getManifest`.
 */
export async function getManifests(
  read: ReadManifest,
  repository: Repository,
  digests: readonly Digest[],
  root: FetchedManifest,
  signal?: AbortSignal,
): Promise<readonly FetchedManifest[]> {
  const others = digests.filter(digest => digest !== root.descriptor.digest);
  if (others.length === 0) return [];
  const found: (FetchedManifest | undefined)[] = [];
  const readOne = async ([index, digest]: readonly [number, Digest], own: AbortSignal): Promise<void> => {
    try {
      found[index] = await read(repository, digest, { signal: own });
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
    }
  };
  await runBounded([...others.entries()], MANIFESTS_AT_ONCE, readOne, signal);
  const gone = others.filter((_, index) => found[index] === undefined);
  if (gone.length === 0) return found.filter(one => one !== undefined);
  throw new NotFoundError(`Cannot pull ${gone.join(", ")} from ${repository}: not there, expected all of the image`);
}
