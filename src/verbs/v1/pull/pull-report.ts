import type { CopyPlan } from "../../../content/contracts.ts";
import type { V1ChainLayer } from "../../../registry/v1/v1-image.ts";
import { checkListApart } from "../../../util/output-checks.ts";
import type { ReportFile } from "../../files/report-file.ts";
import type { PullOptions, PullResult } from "../../pull-options.ts";
import { checkedImages, type RequestedImage } from "../../requested/requested-image.ts";
import type { RescueLedger } from "../report/rescue-ledger.ts";
import type { RescueReport } from "../report/rescue-report.ts";
import { rescueReportFile } from "../report/rescue-report-file.ts";
import { v1Folders } from "../v1-stores.ts";
import { type FoundImages, imagesLeft } from "./find-images.ts";
import type { V1Facts } from "./v1-facts.ts";

/** Where the report of a pull goes: not into what the pull reads or writes. @throws UsageError, StorageError */
export async function pullReportFile(
  { report, output }: PullOptions,
  references: readonly (string | RequestedImage)[],
): Promise<ReportFile<RescueReport> | undefined> {
  if (report === undefined) return undefined;
  const texts = checkedImages("pull", references).map(({ reference }) => reference);
  if (typeof output === "string") await checkListApart(report, output);
  return await rescueReportFile(report, v1Folders(texts));
}

/** What was written, or what a dry run would write. */
export interface Pulled extends Pick<PullResult, "images" | "platforms" | "blobs" | "blobBytes" | "volumes"> {
  /** Absent where not all layers are known. */
  readonly plan?: CopyPlan;
}

/** A row for each image that is in the archive, or that a dry run would put there. */
export function reportPulled(ledger: RescueLedger, found: FoundImages, facts: V1Facts, { images, plan }: Pulled): void {
  const { expanded, names } = found;
  const sizeOf = (layer: V1ChainLayer): number | undefined => facts.find(layer)?.stored.size ?? layer.json.size;
  const byName = new Map(images.flatMap(image => image.names.map(name => [name, image] as const)));
  for (const { found: tag, image } of imagesLeft(found)) {
    ledger.addLayers(image, sizeOf);
    const target = names.get(tag) ?? "";
    const digest = byName.get(target)?.digest;
    const view = digest === undefined ? undefined : plan?.manifests.get(digest)?.view;
    ledger.done(expanded.images.indexOf(tag), {
      source: tag.source,
      id: image.id,
      target,
      digest,
      config: view?.kind === "image" ? view.config.digest : undefined,
      bytes: image.chain.reduce((sum, layer) => sum + (sizeOf(layer) ?? 0), 0),
    });
  }
}
