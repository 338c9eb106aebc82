import type { Lock, LockedImage } from "../../../bundle/lock/lock.ts";
import type { Digest } from "../../../oci/digest.ts";
import { repositoryOf } from "../../../oci/names/repository-of.ts";
import { formatReference, parseReference } from "../../../oci/reference.ts";
import type { ListedImage } from "./catalogue.ts";

/** What a lock says of images, by where they are and what they are. */
export class LockedImages {
  readonly #images = new Map<string, LockedImage>();

  constructor(images: readonly LockedImage[]) {
    for (const image of images) {
      if (image.name === "") continue;
      this.#images.set(`${repositoryOf(image.name)} ${image.written ?? image.digest}`, image);
    }
  }

  of(original: string, digest: Digest): LockedImage | undefined {
    return this.#images.get(`${original} ${digest}`);
  }
}

/** Images that a lock names, and of which nothing is here: not even the manifest. */
export function missingImages(lock: Lock | undefined, listed: readonly ListedImage[]): readonly ListedImage[] {
  const here = new Set(listed.map(({ digest }) => digest));
  return (lock?.images ?? []).flatMap(image => {
    const digest = image.written ?? image.digest;
    return image.name === "" || here.has(digest) ? [] : [missingImage(image, digest, lock)];
  });
}

function missingImage(locked: LockedImage, digest: Digest, lock: Lock | undefined): ListedImage {
  const { registry = "", repository: path, tag } = parseReference(locked.name);
  const repository = repositoryOf(locked.name);
  const blob = lock?.blobs.find(each => each.digest === digest);
  return {
    name: formatReference({ registry, repository: path, ...(tag === undefined ? { digest } : { tag }) }),
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
    signatures: "absent",
    broken: [
      {
        digest,
        size: blob?.size ?? 0,
        kind: "manifest",
        layer: undefined,
        why: "missing",
        volumes: [],
        found: undefined,
      },
    ],
    locked,
  };
}
