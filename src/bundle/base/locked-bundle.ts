import type { Digest } from "../../oci/digest.ts";
import { repositoryOf } from "../../oci/names/repository-of.ts";
import { appendTo } from "../../util/append.ts";
import type { Lock, LockedImage } from "../lock/lock.ts";
import { wholeBlobs } from "../lock/whole-blobs.ts";
import type { Bundle } from "./bundle.ts";

/** What a lock says that a bundle contains; of a delta, with its bases. @param where its path, as it was given. */
export function lockedBundle(lock: Lock, where: string): Bundle {
  const blobs = new Map(
    wholeBlobs(lock).map(({ digest, size, kind, repositories }) => [digest, { size, kind, repositories }] as const),
  );
  const byRepository = new Map<string, Digest[]>();
  for (const { digest, kind, repositories } of wholeBlobs(lock)) {
    if (kind === "manifest") continue;
    for (const repository of new Set(repositories)) appendTo(byRepository, repository, digest);
  }
  return {
    where,
    kind: "lock",
    id: lock.id,
    images: lock.images.map(image => {
      const repository = repositoryNamedBy(image);
      const own = [...image.manifests, ...image.referrers.map(({ digest }) => digest)];
      const shared = repository === undefined ? undefined : byRepository.get(repository);
      return { name: image.name, digest: writtenDigest(image), parts: shared === undefined ? [own] : [own, shared] };
    }),
    blobs,
    hasRawLayers: lock.layers === "raw",
  };
}

/** What a name means in the archive, and so on the far side. */
function writtenDigest({ digest, written = digest }: LockedImage): Digest {
  return written;
}

function repositoryNamedBy({ name, from }: LockedImage): string | undefined {
  return from ?? (name === "" ? undefined : repositoryOf(name));
}
