import { homedir } from "node:os";
import { join } from "node:path";

/** The folder of the digest cache: `IMGPACK_CACHE_DIR`, or "imgpack" in the user's cache folder (XDG base directories). */
export function cacheFolder(): string {
  const { IMGPACK_CACHE_DIR: own, XDG_CACHE_HOME: cacheHome } = process.env;
  return own || join(cacheHome || join(homedir(), ".cache"), "imgpack");
}
