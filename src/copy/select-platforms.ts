import { NotFoundError } from "../errors.ts";
import { ANNOTATION_REFERENCE_DIGEST } from "../oci/annotations.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { manifestChildren } from "../oci/manifest.ts";
import { formatPlatform, type Platform, selectPlatform } from "../oci/platform.ts";
import { escapeForeign } from "../util/format.ts";
import type { SelectChildren } from "./gather.ts";

/** Platforms that a message lists. */
const MAX_LISTED = 32;

/**
 * Keeps the children of an index that run on the wanted platforms, with the attestations of those; everything of an
 * image. An index without any platform is no multi-platform image: all of it is kept.
 *
 * @param verb for the error about a missing platform.
 */
export function selectPlatforms(
  wanted: readonly Platform[] | "all",
  verb: "pull" | "copy" | "convert",
): SelectChildren {
  return (view, parent) => {
    if (view.kind === "image" || wanted === "all") return manifestChildren(view);
    if (view.manifests.every(({ platform }) => platform === undefined)) return view.manifests;
    const chosen = wanted.map(platform => {
      const match = selectPlatform(view.manifests, platform);
      if (match === undefined) throw noSuchPlatform(platform, view.manifests, `${verb} ${parent.digest}`);
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

function noSuchPlatform(wanted: Platform, manifests: readonly Descriptor[], task: string): NotFoundError {
  const known = manifests.flatMap(({ platform }) =>
    platform === undefined || platform.os === "unknown" ? [] : [escapeForeign(formatPlatform(platform))],
  );
  const expected =
    known.length === 0 ? "at least one image" : `one of ${[...new Set(known)].slice(0, MAX_LISTED).join(", ")}`;
  return new NotFoundError(`Cannot ${task}: no ${formatPlatform(wanted)} image in it, expected ${expected}`, {
    hint: "Choose one with --platform OS/ARCH, or take them all with --platform all.",
  });
}
