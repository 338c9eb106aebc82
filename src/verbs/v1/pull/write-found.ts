import type { ImageSource } from "../../../content/contracts.ts";
import { noteTo } from "../../../content/progress.ts";
import { IntegrityError } from "../../../errors.ts";
import { readingSource } from "../../../registry/client/registry-answer.ts";
import type { Repacking } from "../../../transform/measure-layer.ts";
import { listOf } from "../../options/option-values.ts";
import { blobCounts } from "../../output/volume-options.ts";
import type { PullOptions } from "../../pull-options.ts";
import type { WriteOptions, Written } from "../../shared/write-images.ts";
import type { V1Found } from "../expand-v1.ts";
import type { MeasuredFacts } from "../reading/measured-layer.ts";
import { v1ImageSource } from "../reading/v1-image-source.ts";
import { type FoundImages, imagesLeft } from "./find-images.ts";
import type { UnknownLayer } from "./measure-layers.ts";
import type { Pulled } from "./pull-report.ts";
import type { ReadImage } from "./read-v1-images.ts";
import type { V1Facts } from "./v1-facts.ts";
import { type MeasuredImages, writeMeasured } from "./write-measured.ts";

/**
 * Reads the layers that no run has read yet, and writes the images. If a layer is not what an earlier run has read, all that
 * earlier runs found out is forgotten, and the images are written once more.
 *
 * @throws as `writeMeasured`; IntegrityError for a layer that changed while it went to a stream.
 */
export async function writeFound(
  found: FoundImages,
  facts: V1Facts,
  to: Pick<WriteOptions, "output" | "platforms" | "sourceName">,
  options: PullOptions,
): Promise<Pulled> {
  const { expanded, names, failures, read } = found;
  const { signal, v1Checksums = true } = options;
  const onFailed = ({ layer }: UnknownLayer, error: unknown): void => {
    for (const { found: tag, image } of read)
      if (image.chain.some(({ key }) => key === layer.key)) failures.add(tag.source, error, signal);
  };
  const source: MeasuredImages["source"] = (images, known) => imageSource(images, names, known, facts.repack);
  const measured = { facts, left: () => imagesLeft(found), source, noChecksums: !v1Checksums, onFailed };
  const write: WriteOptions = {
    verb: "pull",
    ...options,
    ...to,
    referrers: false,
    isPlatformDefault: listOf(options.platform).length === 0,
    left: failures.left,
    counted: facts.read,
    command: commandOf(
      expanded.images.map(({ source: name }) => name),
      options,
    ),
  };
  const attempt = async (): Promise<Written> => await readingSource(async () => await writeMeasured(measured, write));
  const { plan, images, platforms, split } = await attempt().catch(async (error: unknown) => {
    const isChanged = error instanceof IntegrityError && error.origin === "source" && (await facts.forget());
    // What went to a stream cannot be taken back: the next run reads the layers again.
    if (!isChanged || to.output.kind === "stream") throw error;
    noteTo(options.onProgress)(`${to.sourceName} has other layers than in an earlier run: reading them again`);
    return await attempt();
  });
  return { images, platforms, ...blobCounts(plan, split), plan, ...(split && { volumes: split.volumes }) };
}

function imageSource(
  images: readonly ReadImage[],
  names: ReadonlyMap<V1Found, string>,
  facts: ReadonlyMap<string, MeasuredFacts>,
  repack: Repacking,
): ImageSource {
  const named = images.map(({ found, image, session }) => {
    const name = names.get(found);
    return { image, session, names: name === undefined ? [] : [name] };
  });
  return v1ImageSource(named, facts, { repack });
}

/** What makes two runs the same. */
function commandOf(
  sources: readonly string[],
  { layers, for: loader, v1Checksums = true, volumeSize }: PullOptions,
): string {
  return JSON.stringify([
    "pull v1",
    sources,
    layers,
    loader,
    v1Checksums,
    ...(volumeSize === undefined ? [] : [volumeSize]),
  ]);
}
