import { homedir } from "node:os";
import { join } from "node:path";

/** What runs keep for later ones: `IMGPACK_CACHE_DIR`, or "imgpack" in the user's cache folder (XDG base directories). */
export function cacheFolder(): string {
  const { IMGPACK_CACHE_DIR: own, XDG_CACHE_HOME: cacheHome } = process.env;
  return own || join(cacheHome || join(homedir(), ".cache"), "imgpack");
}
