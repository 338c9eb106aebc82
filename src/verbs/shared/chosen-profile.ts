import { gzipProfile } from "../../compress/gzip/gzip-profile.ts";
import type { LayerProfile } from "../../compress/layer-profile.ts";
import { zstdProfile } from "../../compress/zstd/zstd-profile.ts";
import type { Compression } from "../options/choices.ts";

/** What the option `compression` means for raw layers. */
export interface ChosenProfile {
  /** Undefined leaves them as they are. */
  readonly profile: LayerProfile | undefined;
  /** True if the user chose it: then it is applied even to images that a registry has in another compression. */
  readonly isChosen: boolean;
}

/** @throws UsageError for zstd on a runtime without it. */
export function chosenProfile(compression: Compression = "auto"): ChosenProfile {
  if (compression === "keep") return { profile: undefined, isChosen: true };
  const [format, level] = compression.split(":");
  const number = level === undefined ? undefined : Number(level);
  const profile = format === "zstd" ? zstdProfile(number) : gzipProfile(number);
  return { profile, isChosen: format === "zstd" || number !== undefined };
}
