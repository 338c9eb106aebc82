import { UsageError } from "../errors.ts";
import { quote } from "../util/format.ts";

/** What an image runs on, in the names of Go, for example linux, arm, v7 (image-spec image-index.md). */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  /** Windows build, for example "10.0.20348.2227" (`os.version` in JSON). */
  readonly osVersion?: string;
  /** `os.features` in JSON. */
  readonly osFeatures?: readonly string[];
}

const HINT = "Write it as os/architecture or os/architecture/variant, for example linux/amd64 or linux/arm/v7.";
const ARCHITECTURES: ReadonlyMap<string, readonly [architecture: string, variant?: string]> = new Map([
  ["x86_64", ["amd64"]],
  ["x86-64", ["amd64"]],
  ["aarch64", ["arm64"]],
  ["i386", ["386"]],
  ["i486", ["386"]],
  ["i586", ["386"]],
  ["i686", ["386"]],
  ["armhf", ["arm", "v7"]],
  ["armel", ["arm", "v6"]],
]);
/** The variant that an image without one needs, for architectures with ordered variants. */
const FIRST_VARIANTS: ReadonlyMap<string, string> = new Map([
  ["arm", "v7"],
  ["arm64", "v8"],
  ["amd64", "v1"],
]);
/** Node's names that differ from Go's; image-spec config.md uses those of Go. */
const NODE_ARCHITECTURES: ReadonlyMap<string, string> = new Map([
  ["x64", "amd64"],
  ["ia32", "386"],
  // Node for Linux on POWER is little-endian only.
  ["ppc64", "ppc64le"],
  ["mipsel", "mipsle"],
]);

/**
 * Reads `linux/arm64/v8` or `windows(10.0.17763)/amd64`, and normalises it.
 *
 * @throws UsageError if the text is not a platform.
 */
export function parsePlatform(text: string): Platform {
  const match = /^([A-Za-z0-9_.-]+)(?:\(([A-Za-z0-9_.-]+)\))?\/([A-Za-z0-9_.-]+)(?:\/([A-Za-z0-9_.-]+))?$/.exec(text);
  if (match === null || text.length > 256) {
    throw new UsageError(`Cannot read platform ${quote(text)}: malformed, expected os/architecture[/variant]`, {
      hint: HINT,
    });
  }
  const [, os = "", osVersion, architecture = "", variant] = match;
  return normalisePlatform({
    os,
    architecture,
    ...(variant === undefined ? {} : { variant }),
    ...(osVersion === undefined ? {} : { osVersion }),
  });
}

/** `linux/arm64`, `linux/arm/v7`, `windows(10.0.17763)/amd64`. */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant, osVersion } = platform;
  return [osVersion ? `${os}(${osVersion})` : os, architecture, ...(variant ? [variant] : [])].join("/");
}

/**
 * Normalises as containerd does: x86_64 is amd64, aarch64 is arm64, arm64/v8 and amd64/v1 offered no variant, arm without a
 * variant is v7.
 */
export function normalisePlatform(platform: Platform): Platform {
  const { os, architecture, variant, ...rest } = platform;
  const spelled = architecture.toLowerCase();
  const [name, implied] = ARCHITECTURES.get(spelled) ?? [spelled];
  const normalVariant = normaliseVariant(name, implied ?? variant?.toLowerCase() ?? "");
  const normalOs = os.toLowerCase() === "macos" ? "darwin" : os.toLowerCase();
  return { os: normalOs, architecture: name, ...(normalVariant === "" ? {} : { variant: normalVariant }), ...rest };
}

function normaliseVariant(architecture: string, variant: string): string {
  const named = /^[0-9]/.test(variant) && architecture.startsWith("arm") ? `v${variant}` : variant;
  if (architecture === "arm" && named === "") return "v7";
  if (architecture === "arm64" && (named === "v8" || named === "v8.0")) return "";
  if (architecture === "amd64" && named === "v1") return "";
  return named;
}

/** Whether an image for `found` runs on `wanted`; a newer variant does not run on an older one. */
export function matchesPlatform(wanted: Platform, found: Platform): boolean {
  return platformDistance(wanted, found) !== undefined;
}

/** linux with this machine's architecture, also on macOS and Windows (as in Docker). */
export function hostPlatform(nodeArchitecture: string = process.arch): Platform {
  return normalisePlatform({
    os: "linux",
    architecture: NODE_ARCHITECTURES.get(nodeArchitecture) ?? nodeArchitecture,
  });
}

/**
 * The candidate that fits best: the exact variant, or the nearest older one; the first of equals. Attestations
 * (`unknown/unknown`) never fit. A single candidate without a platform always fits.
 */
export function selectPlatform<T extends { readonly platform?: Platform }>(
  candidates: readonly T[],
  wanted: Platform,
): T | undefined {
  let best: T | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const distance = candidate.platform === undefined ? undefined : platformDistance(wanted, candidate.platform);
    if (distance !== undefined && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  const [only] = candidates;
  if (best === undefined && candidates.length === 1 && only?.platform === undefined) return only;
  return best;
}

/**
 * The candidates that fit as well as the one that fits best, and differ from each other in `os.version`: Windows runs only
 * images of its own build, so none of them stands for another.
 */
export function selectBuilds<T extends { readonly platform?: Platform }>(
  candidates: readonly T[],
  wanted: Platform,
): readonly T[] {
  const best = selectPlatform(candidates, wanted);
  if (best?.platform?.osVersion === undefined) return best === undefined ? [] : [best];
  const distance = platformDistance(wanted, best.platform);
  const builds = new Map([[best.platform.osVersion, best]]);
  for (const candidate of candidates) {
    const { platform } = candidate;
    if (platform?.osVersion === undefined || platformDistance(wanted, platform) !== distance) continue;
    if (!builds.has(platform.osVersion)) builds.set(platform.osVersion, candidate);
  }
  return [...builds.values()];
}

/** 0 for the same variant, n for n steps older, undefined if `found` does not run on `wanted`. */
function platformDistance(wanted: Platform, found: Platform): number | undefined {
  const required = normalisePlatform(wanted);
  const offered = normalisePlatform(found);
  if (offered.os === "unknown" || offered.architecture === "unknown") return undefined;
  if (required.os !== offered.os || required.architecture !== offered.architecture) return undefined;
  if (required.osVersion !== undefined && !isSameBuild(required.osVersion, offered.osVersion)) return undefined;
  if (required.variant === offered.variant) return 0;
  const steps = variantLevel(required) - variantLevel(offered);
  if (steps > 0) return steps;
  // An image without a variant runs on every variant of its architecture.
  return offered.variant === undefined ? 1 : undefined;
}

/** Comparable within one architecture only; NaN if its variants offered no order. */
function variantLevel({ architecture, variant }: Platform): number {
  const base = FIRST_VARIANTS.get(architecture);
  const match = base === undefined ? null : /^v(\d{1,2}(?:\.\d{1,2})?)$/.exec(variant ?? base);
  return match === null ? Number.NaN : Number(match[1]);
}

/** Windows runs only containers of its own build; the fourth number is the patch level. */
function isSameBuild(wanted: string, found: string | undefined): boolean {
  const build = (version: string): string => version.split(".").slice(0, 3).join(".");
  return found === undefined || build(wanted) === build(found);
}
