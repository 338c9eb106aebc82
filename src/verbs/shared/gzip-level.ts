import type { Compression } from "../options/choices.ts";
import { badOption } from "../options/option-values.ts";

/**
 * What `--compression` means for raw layers: undefined is the usual level.
 *
 * @throws UsageError for anything but auto, keep, gzip and gzip:1 to gzip:12.
 */
export function gzipLevel(compression: Compression = "auto"): number | "keep" | undefined {
  if (compression === "keep") return "keep";
  if (compression === "auto" || compression === "gzip") return undefined;
  const level = /^gzip:([1-9]|1[0-2])$/.exec(compression)?.[1];
  if (level !== undefined) return Number(level);
  throw badOption("compression", compression, "auto, keep, gzip or gzip:1 to gzip:12");
}
