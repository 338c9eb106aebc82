import { formatPlatform, hostPlatform, type Platform } from "../../oci/platform.ts";

const MOST_COMMON: Platform = { os: "linux", architecture: "amd64" };

/**
 * The platform that `manifest.json` names of an image with several. It does not depend on the machine or on the order of
 * the platforms: the same images give the same archive anywhere.
 */
export function defaultPlatform(platforms: readonly Platform[] | "all"): Platform {
  const texts = platforms === "all" ? [] : platforms.map(formatPlatform).sort();
  const [first = formatPlatform(MOST_COMMON)] = texts;
  const chosen = texts.includes(formatPlatform(MOST_COMMON)) ? formatPlatform(MOST_COMMON) : first;
  return platforms === "all" ? MOST_COMMON : (platforms.find(one => formatPlatform(one) === chosen) ?? MOST_COMMON);
}

/** The platform of an archive that has one per image. */
export function firstPlatform(platforms: readonly Platform[] | "all"): Platform {
  const [first = hostPlatform()] = platforms === "all" ? [] : platforms;
  return first;
}
