import { ANNOTATION_REFERENCE_DIGEST } from "../oci/annotations.ts";
import { manifestChildren } from "../oci/manifest.ts";
import { type Platform, selectPlatform } from "../oci/platform.ts";
import type { SelectChildren } from "./gather.ts";
import { noSuchPlatform } from "./image-platforms.ts";

/**
 * Keeps the children of an index that run on the wanted platforms, with the attestations of those; everything of
 * another manifest. An index without any platform is no multi-platform image: all of it is kept.
 *
 * @param verb for the error about a missing platform.
 */
export function selectPlatforms(
  wanted: readonly Platform[] | "all",
  verb: "pull" | "copy" | "convert",
): SelectChildren {
  return (view, parent) => {
    if (view.kind !== "index" || wanted === "all") return manifestChildren(view);
    if (view.manifests.every(({ platform }) => platform === undefined)) return view.manifests;
    const chosen = wanted.map(platform => {
      const match = selectPlatform(view.manifests, platform);
      if (match === undefined) {
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
