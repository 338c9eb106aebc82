import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { isManifestType } from "../../oci/media-types.ts";
import { parseReference } from "../../oci/reference.ts";
import { parseReferrersTag, referrersTag } from "../../oci/referrers/referrers-tag.ts";
import { appendTo } from "../../util/append.ts";
import type { OciRoot } from "./oci-roots.ts";

/** What an archive claims to refer to a manifest. */
export interface ReferrerClaim {
  readonly descriptor: Descriptor;
  /** cosign's; absent if the manifest itself has the subject. */
  readonly tag?: string;
}

export interface EntryReferrers {
  /** The entries of `index.json` that are images, or refer to nothing in the archive. */
  readonly roots: readonly OciRoot[];
  /** By the digest of their subject, or by the tag that is made from it. */
  readonly claims: ReadonlyMap<string, readonly ReferrerClaim[]>;
}

/**
 * Tells images from what refers to them, among the entries of an `index.json`: entries under the tags that are made from a
 * digest, as regctl, skopeo and "oras cp -r" write them, and unnamed manifests with a subject. An entry whose subject is not
 * in the archive stays an image of its own: someone saved only that.
 */
export function entryReferrers(roots: readonly OciRoot[]): EntryReferrers {
  const claims = new Map<string, ReferrerClaim[]>();
  const entries = new Map<string, OciRoot[]>();
  const candidates = new Set<OciRoot>();
  const add = (key: string, claim: ReferrerClaim, root: OciRoot): void => {
    appendTo(claims, key, claim);
    appendTo(entries, key, root);
  };
  for (const root of roots) {
    const { descriptor, subject } = root;
    const tags = tagsOf(root);
    const made = tags.filter(tag => parseReferrersTag(tag) !== undefined);
    if (made.length === tags.length && (tags.length > 0 || subject !== undefined)) candidates.add(root);
    if (subject !== undefined) add(subject, { descriptor }, root);
    for (const tag of made) {
      const { stem, suffix } = parseReferrersTag(tag) ?? {};
      if (stem === undefined) continue;
      if (suffix !== undefined) add(stem, { descriptor, tag }, root);
      else
        for (const listed of root.listed) if (isManifestType(listed.mediaType)) add(stem, { descriptor: listed }, root);
    }
  }
  const referring = reachable(
    roots.filter(root => !candidates.has(root)),
    claims,
    entries,
  );
  return { roots: roots.filter(root => !candidates.has(root) || !referring.has(root)), claims };
}

/** Claims about one manifest. */
export function claimsAbout(subject: Digest, claims: EntryReferrers["claims"]): readonly ReferrerClaim[] {
  return [...(claims.get(subject) ?? []), ...(claims.get(referrersTag(subject)) ?? [])];
}

/** The entries that refer to an image, or to what refers to one. */
function reachable(
  images: readonly OciRoot[],
  claims: EntryReferrers["claims"],
  entries: ReadonlyMap<string, readonly OciRoot[]>,
): ReadonlySet<OciRoot> {
  const found = new Set<OciRoot>();
  const seen = new Set<Digest>();
  const waiting = images.flatMap(({ descriptor, parts }) => [descriptor.digest, ...parts]);
  for (let digest = waiting.pop(); digest !== undefined; digest = waiting.pop()) {
    if (seen.has(digest)) continue;
    seen.add(digest);
    for (const key of [digest, referrersTag(digest)]) for (const root of entries.get(key) ?? []) found.add(root);
    for (const { descriptor } of claimsAbout(digest, claims)) waiting.push(descriptor.digest);
  }
  return found;
}

function tagsOf({ tags, names }: OciRoot): readonly string[] {
  return [...tags, ...names.map(name => parseReference(name).tag ?? name)];
}
