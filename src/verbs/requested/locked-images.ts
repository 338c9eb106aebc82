import type { Lock, LockedImage } from "../../bundle/lock/lock.ts";
import { UsageError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { formatReference, parseReference, type Reference, resolveDockerHub } from "../../oci/reference.ts";
import type { SourceReference } from "../../registry/registry-source.ts";
import { readPlatforms } from "../options/read-platforms.ts";

/**
 * The images of a lock, by their digests: what their tags mean now plays no part.
 *
 * @throws UsageError for an image without a name, which no registry can be asked for.
 */
export function lockedReferences(lock: Lock): readonly SourceReference[] {
  const repositories = new Map(lock.blobs.map(blob => [blob.digest, blob.repositories]));
  return lock.images.map(image => {
    const { name, digest, from, platforms, written } = image;
    if (name === "") {
      throw new UsageError(`Cannot pull ${digest} of the lock: it has no name, expected a repository that has it`);
    }
    const named = resolveDockerHub(parseReference(name));
    const own = from === undefined ? named : resolveDockerHub(parseReference(from));
    const homes = (repositories.get(digest) ?? []).map(text => resolveDockerHub(parseReference(text)));
    const isOwn = ({ registry, repository }: Reference): boolean =>
      registry === own.registry && repository === own.repository;
    return {
      registry: own.registry,
      repository: own.repository,
      digest,
      // A digest in the name follows the image if writing changes it.
      name: named.digest === undefined ? name : formatReference({ ...named, digest }),
      ...(platforms === undefined ? {} : { platforms: readPlatforms("pull", platforms, "all") }),
      alternatives: homes.filter(home => !isOwn(home)),
      manifests: manifestsOf(image).filter(one => written === undefined || (repositories.get(one) ?? []).length > 0),
    };
  });
}

function manifestsOf({ manifests, referrers }: LockedImage): readonly Digest[] {
  return [...new Set([...manifests, ...referrers.map(({ digest }) => digest)])];
}
