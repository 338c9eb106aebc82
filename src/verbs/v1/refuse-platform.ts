import { UsageError } from "../../errors.ts";
import { readPlatforms } from "../options/read-platforms.ts";

/** @throws UsageError for `--platform` of a copy from a v1 registry, unless it means all. */
export function refusePlatform(platform: string | readonly string[] | undefined): void {
  if (readPlatforms("copy", platform, "all") === "all") return;
  throw new UsageError("Cannot use --platform: images of a v1 registry have one platform each, expected none given");
}
