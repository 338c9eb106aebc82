import { UsageError } from "../errors.ts";
import { quote } from "../util/format.ts";

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
/** What an image without a variant needs, where variants are ordered by what they can run. */
const FIRST_VARIANTS: ReadonlyMap<string, string> = new Map([
  ["arm", "v7"],
  ["arm64", "v8"],
  ["amd64", "v1"],
]);
/** Node's names where they differ from Go's, which are the ones in image-spec config.md. */
const NODE_ARCHITECTURES: ReadonlyMap<string, string> = new Map([
  ["x64", "amd64"],
  ["ia32", "386"],
  // Linux on POWER runs Node only in little-endian form.
  ["ppc64", "ppc64le"],
  ["mipsel", "mipsle"],
]);

/**
 * `linux/arm64/v8`, also `windows(10.0.17763)/amd64`; the result is normalised.
 *
 * @throws UsageError when the text is no platform.
 */
export function parsePlatform(text: string): Platform {
  const match = /^([A-Za-z0-9_.-]+)(?:\(([A-Za-z0-9_.-]+)\))?\/([A-Za-z0-9_.-]+)(?:\/([A-Za-z0-9_.-]+))?$/.exec(text);
  if (match === null || text.length > 256) {
    throw new UsageError(
      `Cannot read platform ${quote(text)}: found another form, expected os/architecture[/variant]`,
      {
        hint: HINT,
      },
    );
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
 * One spelling per platform, as containerd normalises: x86_64 is amd64, aarch64 is arm64, arm64/v8 and amd64/v1 have no
 * variant, arm without a variant is v7.
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

/** True when `found` runs where `wanted` is asked for; a newer variant does not run on an older one. */
export function matchesPlatform(wanted: Platform, found: Platform): boolean {
  return platformDistance(wanted, found) !== undefined;
}

/** Linux containers on this machine's architecture, also where the machine runs macOS or Windows (as Docker does). */
export function hostPlatform(nodeArchitecture: string = process.arch): Platform {
  return normalisePlatform({
    os: "linux",
    architecture: NODE_ARCHITECTURES.get(nodeArchitecture) ?? nodeArchitecture,
  });
}

/**
 * The candidate that fits best: the exact variant, else the nearest older one; of equals the first. Attestations
 * (`unknown/unknown`) never fit. A list whose only entry names no platform gives that entry: nothing speaks against it.
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

/** 0 for the same variant, n for n steps older, undefined when `found` does not run on `wanted`. */
function platformDistance(wanted: Platform, found: Platform): number | undefined {
  const want = normalisePlatform(wanted);
  const have = normalisePlatform(found);
  if (have.os === "unknown" || have.architecture === "unknown") return undefined;
  if (want.os !== have.os || want.architecture !== have.architecture) return undefined;
  if (want.osVersion !== undefined && !isSameBuild(want.osVersion, have.osVersion)) return undefined;
  if (want.variant === have.variant) return 0;
  const steps = variantLevel(want) - variantLevel(have);
  if (steps > 0) return steps;
  // An image without a variant claims nothing special of its architecture.
  return have.variant === undefined ? 1 : undefined;
}

/** Comparable within one architecture only; NaN where variants have no order. */
function variantLevel({ architecture, variant }: Platform): number {
  const base = FIRST_VARIANTS.get(architecture);
  const match = base === undefined ? null : /^v(\d{1,2}(?:\.\d{1,2})?)$/.exec(variant ?? base);
  return match === null ? Number.NaN : Number(match[1]);
}

/** Windows runs a container of its own build; the fourth part is the patch level. */
function isSameBuild(wanted: string, found: string | undefined): boolean {
  const build = (version: string): string => version.split(".").slice(0, 3).join(".");
  return found === undefined || build(wanted) === build(found);
}
