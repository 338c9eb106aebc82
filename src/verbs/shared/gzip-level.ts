import type { Compression } from "../options/choices.ts";

/** What the option `compression` means for raw layers: undefined is the usual level. */
export function gzipLevel(compression: Compression = "auto"): number | "keep" | undefined {
  if (compression === "keep") return "keep";
  if (compression === "auto" || compression === "gzip") return undefined;
  return Number(compression.slice("gzip:".length));
}
