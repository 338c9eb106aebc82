import { formatPlatform, hostPlatform, type Platform } from "../../oci/platform.ts";

const MOST_COMMON: Platform = { os: "linux", architecture: "amd64" };

/**
 * The platform that `manifest.json` names of an image with several. It does not depend on the machine or on the order of
 * the platforms: the same images give the same archive anywhere.
 */
export function defaultPlatform(platforms: readonly Platform[] | "all"): Platform {
  const named = new Map(platforms === "all" ? [] : platforms.map(platform => [formatPlatform(platform), platform]));
  const [first = ""] = [...named.keys()].sort();
  return named.get(formatPlatform(MOST_COMMON)) ?? named.get(first) ?? MOST_COMMON;
}

/** The platform of an archive that has one per image. */
export function firstPlatform(platforms: readonly Platform[] | "all"): Platform {
  const [first = hostPlatform()] = platforms === "all" ? [] : platforms;
  return first;
}
