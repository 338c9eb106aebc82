import { UsageError } from "../../errors.ts";
import { type Platform, parsePlatform } from "../../oci/platform.ts";
import { listOf } from "./option-values.ts";

/** @throws UsageError for anything but "os/arch[/variant]" or "all" alone. */
export function readPlatforms(
  verb: "pull" | "lock" | "convert" | "copy",
  platform: string | readonly string[] | undefined,
  otherwise: readonly Platform[] | "all",
): readonly Platform[] | "all" {
  const texts = listOf(platform);
  if (texts.length === 0) return otherwise;
  if (!texts.includes("all")) return texts.map(parsePlatform);
  if (texts.length === 1) return "all";
  throw new UsageError(`Cannot ${verb}: "all" is given next to other platforms, expected it alone`);
}
