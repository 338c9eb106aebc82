import type { CopyPlan, Referrer } from "../../content/contracts.ts";
import { ANNOTATION_REF_NAME } from "../../oci/annotations.ts";
import { buildImageIndex } from "../../oci/build-manifest.ts";
import { type Descriptor, describeBytes } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { referrersTag } from "../../oci/referrers/referrers-tag.ts";

/** The part of the bundle that a volume has. */
export interface CarriedInVolume {
  /** What refers to images, and is in it with all that it names. */
  readonly referrers: readonly Referrer[];
}

export interface LayoutReferrers {
  /** Of `index.json`, in order. */
  readonly entries: readonly Descriptor[];
  /** Manifests that only the layout has. */
  readonly manifests: readonly { readonly descriptor: Descriptor; readonly bytes: Uint8Array }[];
}

/**
 * What refers to the images, as other tools look for it in a layout, which has no rule of its own: by the tags that a registry
 * without the referrers API would have. regctl and oras read the index under such a tag (measured with oras 1.3).
 *
 * @param volume default: the layout has everything.
 */
export function layoutReferrers({ roots }: CopyPlan, volume?: CarriedInVolume): LayoutReferrers {
  const bySubject = new Map<Digest, Map<Digest, Descriptor>>();
  const tagged = new Map<string, Descriptor>();
  const carried = volume?.referrers ?? roots.flatMap(({ referrers }) => referrers?.found ?? []);
  for (const { descriptor, subject, tag } of carried) {
    if (tag !== undefined) tagged.set(tag, descriptor);
    if (subject === undefined) continue;
    const known = bySubject.get(subject) ?? new Map<Digest, Descriptor>();
    bySubject.set(subject, known.set(descriptor.digest, descriptor));
  }
  const indexes = [...bySubject].map(([subject, found]) => {
    const sorted = [...found.values()].sort((left, right) => (left.digest < right.digest ? -1 : 1));
    const { mediaType, bytes } = buildImageIndex(sorted);
    return { tag: referrersTag(subject), descriptor: describeBytes(mediaType, bytes), bytes };
  });
  for (const { tag, descriptor } of indexes) tagged.set(tag, descriptor);
  const entries = [...tagged]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([tag, { mediaType, digest, size }]) => ({
      mediaType,
      digest,
      size,
      annotations: { [ANNOTATION_REF_NAME]: tag },
    }));
  return { entries, manifests: indexes };
}
