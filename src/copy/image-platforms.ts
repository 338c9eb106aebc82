import type { CopyPlan, ImageSource, Root } from "../content/contracts.ts";
import { readBlob } from "../content/pump.ts";
import { verified } from "../content/verified.ts";
import { ArchiveError, NotFoundError, UsageError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { parseImageConfig } from "../oci/image-config.ts";
import { isArtifact } from "../oci/is-artifact.ts";
import { MAX_CONFIG_BYTES } from "../oci/limits.ts";
import { isImageConfigType } from "../oci/media-types.ts";
import { formatPlatform, matchesPlatform, type Platform } from "../oci/platform.ts";
import { escapeForeign } from "../util/format.ts";
import { runBounded } from "../util/task-group.ts";
import { manifestsBelow } from "./manifests-below.ts";

/** Platforms that a message lists. */
const MAX_LISTED = 32;
const UNKNOWN = "unknown";

/**
 * What an image runs on, as its config says. Undefined for what runs nowhere: artifacts, attestations, and configs that
 * name no platform.
 *
 * @param configs is given the bytes that were read.
 */
export async function configPlatform(
  source: Pick<ImageSource, "blob">,
  config: Descriptor,
  signal: AbortSignal | undefined,
  configs?: Map<Digest, Uint8Array>,
): Promise<Platform | undefined> {
  if (!isImageConfigType(config.mediaType)) return undefined;
  const where = `config ${config.digest}`;
  const blob = verified(config, await source.blob(config, signal), where);
  try {
    const bytes = await readBlob(blob, MAX_CONFIG_BYTES, signal);
    configs?.set(config.digest, bytes);
    const { os, architecture, variant, osVersion } = parseImageConfig(bytes, where);
    if ([os, architecture].some(word => word === "" || word === UNKNOWN)) return undefined;
    return {
      os,
      architecture,
      ...(variant === undefined ? {} : { variant }),
      ...(osVersion === undefined ? {} : { osVersion }),
    };
  } catch (error) {
    // A document that is copied need not be understood.
    if (error instanceof ArchiveError) return undefined;
    throw error;
  }
}

/**
 * What the planned images of a root run on: as an index says, else as their configs say.
 *
 * @param configs is given the bytes that were read.
 */
export async function rootPlatforms(
  source: Pick<ImageSource, "blob">,
  plan: CopyPlan,
  root: Root,
  signal: AbortSignal | undefined,
  configs?: Map<Digest, Uint8Array>,
): Promise<readonly Platform[]> {
  const found: Platform[] = [];
  const add = (platform: Platform | undefined): void => {
    if (platform !== undefined && platform.os !== UNKNOWN) found.push(platform);
  };
  if (root.kind === "draft") {
    add(await configPlatform(source, root.draft.config, signal, configs));
    return found;
  }
  for (const { view, named } of manifestsBelow(plan, root.descriptor))
    if (view.kind === "image" && !isArtifact(view))
      add(named.platform ?? (await configPlatform(source, view.config, signal, configs)));
  return found;
}

/** Configs are small, so that only the way there and back takes time. */
const CONFIGS_AT_ONCE = 8;

/** What the planned images run on, in the order of their roots; as `rootPlatforms`, several at once. */
export async function allPlatforms(
  source: Pick<ImageSource, "blob">,
  plan: CopyPlan,
  signal: AbortSignal | undefined,
  configs?: Map<Digest, Uint8Array>,
): Promise<readonly (readonly Platform[])[]> {
  const found: (readonly Platform[])[] = [];
  const read = async ([index, root]: readonly [number, Root], own: AbortSignal): Promise<void> => {
    found[index] = await rootPlatforms(source, plan, root, own, configs);
  };
  await runBounded([...plan.roots.entries()], CONFIGS_AT_ONCE, read, signal);
  return found;
}

/**
 * @param found empty for an artifact, which fits every platform.
 * @param task as in "pull registry.lan:5000/app:1".
 * @throws NotFoundError if none of `found` runs on one of the wanted platforms.
 */
export function checkPlatforms(
  wanted: readonly Platform[],
  found: readonly Platform[],
  task: string,
  hint?: string,
): void {
  if (found.length === 0) return;
  for (const platform of wanted) {
    if (!found.some(other => matchesPlatform(platform, other))) throw noSuchPlatform(platform, found, task, hint);
  }
}

/** Of images that fit one platform, where one must be chosen. @param task as in "read registry.lan:5000/app:1". */
export function severalBuilds(
  wanted: Platform,
  found: readonly { readonly platform?: Platform }[],
  task: string,
): UsageError {
  const builds = found.flatMap(({ platform }) => platform ?? []);
  const listed = builds.slice(0, MAX_LISTED).map(platform => escapeForeign(formatPlatform(platform)));
  return new UsageError(
    `Cannot ${task}: ${formatPlatform(wanted)} is ${listed.join(" and ")} in it, expected one image`,
    { hint: "Choose one with --platform, for example windows(10.0.20348)/amd64." },
  );
}

/** @param found undefined for images whose platform is not known. */
export function noSuchPlatform(
  wanted: Platform,
  found: readonly (Platform | undefined)[],
  task: string,
  hint: string = "Choose one with --platform OS/ARCH, or take them all with --platform all.",
): NotFoundError {
  const known = found.flatMap(platform =>
    platform === undefined || platform.os === UNKNOWN ? [] : [escapeForeign(formatPlatform(platform))],
  );
  const listed = [...new Set(known)].slice(0, MAX_LISTED);
  const expected =
    listed.length === 0 ? "at least one image" : listed.length === 1 ? `${listed[0]}` : `one of ${listed.join(", ")}`;
  return new NotFoundError(`Cannot ${task}: no ${formatPlatform(wanted)} image in it, expected ${expected}`, { hint });
}
