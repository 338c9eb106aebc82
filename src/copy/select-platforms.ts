import type { Root } from "../content/contracts.ts";
import { ANNOTATION_REFERENCE_DIGEST } from "../oci/annotations.ts";
import type { Digest } from "../oci/digest.ts";
import { manifestChildren } from "../oci/manifest.ts";
import { type Platform, selectBuilds } from "../oci/platform.ts";
import type { SelectChildren } from "./gather.ts";
import { noSuchPlatform } from "./image-platforms.ts";

/** As `selectPlatforms`, where an image may have a choice of its own, which is also that of the indexes below it. */
export function selectForRoots(
  roots: readonly Root[],
  wanted: readonly Platform[] | "all",
  verb: "pull" | "lock" | "copy" | "convert",
): SelectChildren {
  const own = new Map<Digest, readonly Platform[] | "all">();
  for (const root of roots) {
    if (root.kind === "settled" && root.platforms !== undefined) own.set(root.descriptor.digest, root.platforms);
  }
  if (own.size === 0) return selectPlatforms(wanted, verb);
  return (view, parent) => {
    const choice = own.get(parent.digest);
    const children = selectPlatforms(choice ?? wanted, verb)(view, parent);
    if (choice !== undefined) for (const { digest } of children) if (!own.has(digest)) own.set(digest, choice);
    return children;
  };
}

/**
 * Keeps the children of an index that run on the wanted platforms, all builds of Windows among them, with the attestations of those; everything of
 * another manifest. An index without any platform is no multi-platform image: all of it is kept.
 *
 * @param verb for the error about a missing platform.
 */
export function selectPlatforms(
  wanted: readonly Platform[] | "all",
  verb: "pull" | "lock" | "copy" | "convert",
): SelectChildren {
  return (view, parent) => {
    if (view.kind !== "index" || wanted === "all") return manifestChildren(view);
    if (view.manifests.every(({ platform }) => platform === undefined)) return view.manifests;
    const chosen = wanted.flatMap(platform => {
      const match = selectBuilds(view.manifests, platform);
      if (match.length === 0) {
        const found = view.manifests.map(other => other.platform);
        throw noSuchPlatform(platform, found, `${verb} ${parent.digest}`);
      }
      return match;
    });
    const digests = new Set(chosen.map(({ digest }) => digest));
    const attestations = view.manifests.filter(({ annotations }) => {
      const about = annotations?.[ANNOTATION_REFERENCE_DIGEST];
      return about !== undefined && [...digests].some(digest => digest === about);
    });
    return [...new Set([...chosen, ...attestations])];
  };
}
