import type { Lock, LockedImage } from "../../../bundle/lock/lock.ts";
import type { Digest } from "../../../oci/digest.ts";
import { repositoryOf } from "../../../oci/names/repository-of.ts";
import { formatReference, parseReference } from "../../../oci/reference.ts";
import type { ServedBundle } from "../../content/served-registry.ts";
import type { ListedImage } from "./catalogue.ts";

/** What a lock says of images, by where they are and what they are. */
export class LockedImages {
  readonly #images = new Map<string, LockedImage>();

  constructor(images: readonly LockedImage[]) {
    for (const image of images) {
      const where = image.name === "" ? "" : repositoryOf(image.name);
      this.#images.set(`${where} ${image.written ?? image.digest}`, image);
    }
  }

  of(original: string, digest: Digest): LockedImage | undefined {
    return this.#images.get(`${original} ${digest}`);
  }
}

/**
 * Images that a lock names, and of which nothing is here: not even the manifest.
 *
 * @param served names of repositories at this server, by what they were called where they came from
 */
export function missingImages(
  bundle: Pick<ServedBundle, "volumes"> | undefined,
  lock: Lock | undefined,
  listed: readonly ListedImage[],
  served: ReadonlyMap<string, string>,
): readonly ListedImage[] {
  if (lock === undefined) return [];
  const here = new Set(listed.map(({ digest }) => digest));
  const lost = lock.images.filter(({ name, written, digest }) => name !== "" && !here.has(written ?? digest));
  if (lost.length === 0) return [];
  const missing = bundle?.volumes?.missing ?? [];
  const rows = new Map(lock.blobs.map(({ digest, size }, index) => [digest, { size, where: lock.set?.where[index] }]));
  return lost.map(image => {
    const { size = 0, where = missing } = rows.get(image.written ?? image.digest) ?? {};
    const volumes = [where].flat().filter(volume => missing.includes(volume));
    const repository = repositoryOf(image.name);
    return missingImage(image, served.get(repository) ?? repository, size, volumes);
  });
}

function missingImage(locked: LockedImage, repository: string, size: number, volumes: readonly number[]): ListedImage {
  const { registry = "", repository: path, tag } = parseReference(locked.name);
  const digest = locked.written ?? locked.digest;
  const named = registry === "" ? { repository: path } : { registry, repository: path };
  return {
    name: formatReference({ ...named, ...(tag === undefined ? { digest } : { tag }) }),
    registry,
    path,
    tag,
    digest,
    mediaType: "",
    repository,
    isArtifact: false,
    artifactType: undefined,
    platforms: [],
    bytes: 0,
    ownBytes: 0,
    attached: [],
    signatures: locked.lookup === undefined ? "absent" : "unknown",
    broken: [{ digest, size, kind: "manifest", layer: undefined, why: "missing", volumes, found: undefined }],
    locked,
  };
}
