import type { ImageSource, Root } from "../../content/contracts.ts";
import { blobsOf, derivedSource } from "../../content/derived-source.ts";
import { noteTo, type OnProgress } from "../../content/progress.ts";
import { allPlatforms, checkPlatforms } from "../../copy/image-platforms.ts";
import { selectForRoots } from "../../copy/select-platforms.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { formatPlatform } from "../../oci/platform.ts";
import type { LockFacts } from "../locking/lock-settings.ts";
import { nameOf, type PlannedImages, type PlanOptions, planImages, planSparse } from "./planned-images.ts";

export interface ChooseOptions extends Pick<LockFacts, "platforms" | "sparse"> {
  /** For errors. */
  readonly verb: "pull" | "lock" | "convert";
  /** True if no one asked for `platforms`: an image of one platform need not fit them. Default false. */
  readonly isPlatformDefault?: boolean;
  /** The roots as the archive has them, if the source changed them already; in the same order. */
  readonly originals?: readonly Root[] | undefined;
  /** Called with each manifest that the source does not contain; without it such a manifest is an error. */
  readonly onAbsent?: ((descriptor: Descriptor) => void) | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The images as the source has them, and what is taken of them. */
export interface ChosenImages {
  readonly planned: PlannedImages;
  readonly images: PlannedImages;
  /** What each image runs on, in the order of the plan's roots. */
  readonly platforms: readonly (readonly string[])[];
}

/** Plans what is taken of a source, before layers change. */
export async function planChosen(
  source: ImageSource,
  options: ChooseOptions,
  planOptions: PlanOptions = planOptionsOf(options),
): Promise<ChosenImages> {
  const planned = await planImages(source, options.originals, planOptions);
  const found = await platformsOf(planned, options);
  const sparse = options.verb === "convert" ? undefined : options.sparse;
  return { planned, platforms: found.platforms, images: await planSparse(found.images, sparse, planOptions) };
}

export function planOptionsOf({ platforms, verb, onAbsent, onProgress, signal }: ChooseOptions): PlanOptions {
  const onNote = noteTo(onProgress);
  return { selectFor: roots => selectForRoots(roots, platforms, verb), onAbsent, onNote, onProgress, signal };
}

/** What the images run on. @throws NotFoundError if it is not what was asked for. */
async function platformsOf(
  { source, plan, originals }: PlannedImages,
  { platforms, isPlatformDefault, verb, signal }: ChooseOptions,
): Promise<Pick<ChosenImages, "images" | "platforms">> {
  const configs = new Map<Digest, Uint8Array>();
  const labels: (readonly string[])[] = [];
  const all = await allPlatforms(source, plan, signal, configs);
  for (const [index, root] of plan.roots.entries()) {
    const found = all[index] ?? [];
    const wanted = root.platforms ?? (isPlatformDefault === true ? "all" : platforms);
    if (wanted !== "all") checkPlatforms(wanted, found, `${verb} ${nameOf(root)}`);
    labels.push(found.map(formatPlatform));
  }
  // A registry is not asked again.
  const blob = blobsOf(source, digest => configs.get(digest));
  return { images: { source: derivedSource(source, { blob }), plan, originals }, platforms: labels };
}
