import type { ArchiveSource } from "../../archive/open-archive.ts";
import type { Root } from "../../content/contracts.ts";
import { type OnProgress, stepTo } from "../../content/progress.ts";
import { ArchiveError, IntegrityError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { isForeignLayerType } from "../../oci/media-types.ts";
import { describeImages, type InspectedImage, type InspectedPlatform, namesOf } from "../shared/describe-images.ts";
import type { ArchiveFault } from "../verify.ts";

/** An image, and whether it can be used. */
export interface DiagnosedImage extends InspectedImage {
  /** True if everything that a container needs is there, for at least one platform. */
  readonly isWhole: boolean;
  /** What is missing, altered or unreadable. */
  readonly problem?: string;
}

export interface CheckedImage {
  readonly root: Root;
  readonly image: DiagnosedImage;
}

/** Checks each root of an archive; a fault in one does not hide the others. */
export async function checkImages(
  source: ArchiveSource,
  faults: readonly ArchiveFault[],
  signal: AbortSignal | undefined,
  onProgress?: OnProgress,
): Promise<readonly CheckedImage[]> {
  const bad = new Set<Digest>(faults.flatMap(({ blob }) => blob ?? []));
  const isGood = (digest: Digest): boolean => !bad.has(digest) && source.hasBlob(digest);
  const checked: CheckedImage[] = [];
  const onImage = stepTo(onProgress, "images", source.images.length);
  for (const root of source.images) {
    onImage();
    for (const image of await describe(source, root, signal)) {
      const isAlone = image.platforms.length === 1;
      const missing = image.platforms.filter(one => isAlone || isRunnable(one)).map(one => missingOf(one, isGood));
      const isWhole = missing.some(digests => digests.length === 0);
      const problem =
        isWhole || missing[0] === undefined ? {} : { problem: `missing or altered: ${missing[0].join(", ")}` };
      checked.push({ root, image: { ...problem, ...image, isWhole } });
    }
  }
  return checked;
}

/** An attestation is next to its image, and cannot run. */
function isRunnable({ platform }: InspectedPlatform): boolean {
  return platform !== undefined && !platform.startsWith("unknown/");
}

function missingOf(
  { config, digest, layers }: InspectedPlatform,
  isGood: (digest: Digest) => boolean,
): readonly Digest[] {
  const own = layers.filter(({ mediaType }) => !isForeignLayerType(mediaType)).map(({ digest }) => digest);
  return [
    ...new Set([...(digest === undefined ? [] : [digest]), ...(config === undefined ? [] : [config]), ...own]),
  ].filter(blob => !isGood(blob));
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
    const { message } = error;
    const what =
      root.kind === "draft"
        ? { mediaType: root.draft.mediaType }
        : { mediaType: root.descriptor.mediaType, digest: root.descriptor.digest };
    return [{ ...namesOf(root), ...what, platforms: [], absent: [], problem: message }];
  }
}
