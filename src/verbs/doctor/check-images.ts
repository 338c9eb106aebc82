import type { ArchiveSource } from "../../archive/open-archive.ts";
import type { Root } from "../../content/contracts.ts";
import { ArchiveError, IntegrityError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { isForeignLayerType } from "../../oci/media-types.ts";
import { describeImages, type InspectedImage, type InspectedPlatform } from "../shared/describe-images.ts";
import type { ArchiveFault } from "../verify.ts";

/** An image, and whether it can be used. */
export interface DiagnosedImage extends InspectedImage {
  /** True if everything that a container needs is there, for at least one platform. */
  readonly isWhole: boolean;
  /** What is missing, altered or unreadable. */
  readonly problem?: string;
}

export interface Examined {
  readonly root: Root;
  readonly image: DiagnosedImage;
}

/** Each root of an archive, and whether it can be used; what is wrong with one keeps no other from being told. */
export async function examineImages(
  source: ArchiveSource,
  faults: readonly ArchiveFault[],
  signal: AbortSignal | undefined,
): Promise<readonly Examined[]> {
  const bad = new Set<Digest>(faults.map(({ blob }) => blob));
  const isGood = (digest: Digest): boolean => !bad.has(digest) && source.hasBlob(digest);
  const examined: Examined[] = [];
  for (const root of source.images) {
    for (const image of await describe(source, root, signal)) {
      const isAlone = image.platforms.length === 1;
      const lacks = image.platforms.filter(one => isAlone || isRunnable(one)).map(one => lackOf(one, isGood));
      const isWhole = lacks.some(digests => digests.length === 0);
      const problem =
        isWhole || lacks[0] === undefined ? {} : { problem: `missing or altered: ${lacks[0].join(", ")}` };
      examined.push({ root, image: { ...problem, ...image, isWhole } });
    }
  }
  return examined;
}

/** An attestation stands beside the image that it is about. */
function isRunnable({ platform }: InspectedPlatform): boolean {
  return platform !== undefined && !platform.startsWith("unknown/");
}

function lackOf({ config, digest, layers }: InspectedPlatform, isGood: (digest: Digest) => boolean): readonly Digest[] {
  const own = layers.filter(({ mediaType }) => !isForeignLayerType(mediaType)).map(({ digest }) => digest);
  return [...new Set([...(digest === undefined ? [] : [digest]), config, ...own])].filter(blob => !isGood(blob));
}

async function describe(
  source: ArchiveSource,
  root: Root,
  signal: AbortSignal | undefined,
): Promise<readonly (InspectedImage & { readonly problem?: string })[]> {
  try {
    return await describeImages(source, [root], signal);
  } catch (error) {
    if (!(error instanceof ArchiveError || error instanceof IntegrityError)) throw error;
    const { names } = root;
    const { message } = error;
    const what =
      root.kind === "draft"
        ? { mediaType: root.draft.mediaType }
        : { mediaType: root.descriptor.mediaType, digest: root.descriptor.digest };
    return [{ names, ...what, platforms: [], absent: [], problem: message }];
  }
}
