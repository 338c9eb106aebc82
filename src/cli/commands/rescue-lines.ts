import type { ReportedImage, RescueReport } from "../../index.ts";
import { counted, formatBytes } from "../../util/format.ts";

/** What there was, or would be, to copy out of v1 registries, in one line. */
export function rescueSummary(report: RescueReport): string {
  const { tags, failed, repositories, repositoriesWithoutTags, layers, layerBytes, layersOfUnknownSize } = report;
  const empty = repositoriesWithoutTags === 0 ? "" : ` (${repositoriesWithoutTags} without tags)`;
  const where = `${counted(repositories, "repository", "repositories")}${empty}`;
  const unknown = layersOfUnknownSize === 0 ? "" : `, and ${layersOfUnknownSize} of unknown size`;
  const wrong = failed === 0 ? "" : `, ${failed} failed`;
  return `${counted(tags, "tag")} in ${where}${wrong}: ${counted(layers, "distinct layer")}, ${formatBytes(layerBytes)}${unknown}`;
}

/** `SOURCE -> TARGET` of each image that a dry run would copy. */
export function plannedLines({ images }: RescueReport): readonly string[] {
  return images
    .filter((image): image is ReportedImage => !("error" in image))
    .map(({ source, target }) => `${source} -> ${target}`);
}
