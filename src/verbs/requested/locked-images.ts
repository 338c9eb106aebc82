import type { Lock, LockedImage } from "../../bundle/lock/lock.ts";
import type { FoundReferrers } from "../../content/contracts.ts";
import { UsageError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { OCI_MANIFEST } from "../../oci/media-types.ts";
import { formatReference, parseReference, type Reference, resolveDockerHub } from "../../oci/reference.ts";
import { leastLookup } from "../../oci/referrers/referrers-lookup.ts";
import { parseReferrersTag, referrersTag } from "../../oci/referrers/referrers-tag.ts";
import type { FindsReferrers } from "../../registry/referrers/referrers-finder.ts";
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

/** Says what refers to an image as the lock does; asks no registry. */
export function lockedReferrers(lock: Lock): FindsReferrers {
  const sizes = new Map(lock.blobs.map(({ digest, size }) => [digest, size]));
  const found = new Map<Digest, Map<string, FoundReferrers["found"][number]>>();
  const lookups = new Map<Digest, LockedImage["lookup"][]>();
  for (const image of lock.images) {
    for (const subject of manifestsOf(image)) {
      lookups.set(subject, [...(lookups.get(subject) ?? []), image.lookup]);
    }
    for (const { digest, subject, tag } of image.referrers) {
      const about = subject ?? taggedSubject(tag, image);
      if (about === undefined) continue;
      const list = found.get(about) ?? new Map();
      // Its manifest says what its type is.
      const descriptor = { mediaType: OCI_MANIFEST, digest, size: sizes.get(digest) ?? 0 };
      list.set(`${digest} ${tag ?? ""}`, { descriptor, subject, tag });
      found.set(about, list);
    }
  }
  return {
    isOffline: true,
    find: async (_repository, subject) => {
      const lookup = leastLookup(lookups.get(subject) ?? []);
      return { ...(lookup === undefined ? {} : { lookup }), found: [...(found.get(subject)?.values() ?? [])] };
    },
  };
}

/** The manifest that cosign's tag is made of. */
function taggedSubject(tag: string | undefined, image: LockedImage): Digest | undefined {
  const parsed = tag === undefined ? undefined : parseReferrersTag(tag);
  if (parsed === undefined) return undefined;
  return [image.digest, ...manifestsOf(image)].find(digest => referrersTag(digest) === parsed.stem);
}
