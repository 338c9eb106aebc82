import type { CopyPlan } from "../../../content/contracts.ts";
import type { V1ChainLayer } from "../../../registry/v1/v1-image.ts";
import { checkListApart } from "../../../util/output-checks.ts";
import type { PullOptions } from "../../pull-options.ts";
import { checkedImages, type RequestedImage } from "../../requested/requested-image.ts";
import type { WrittenImage } from "../../written/written-image.ts";
import type { ExpandedV1, V1Found } from "../expand-v1.ts";
import { ReportFile } from "../report/report-file.ts";
import type { RescueLedger } from "../report/rescue-ledger.ts";
import { v1Folders } from "../v1-stores.ts";
import type { ReadImage } from "./read-v1-images.ts";
import type { V1Facts } from "./v1-facts.ts";

/** Where the report of a pull goes: not into what the pull reads or writes. @throws UsageError, StorageError */
export async function pullReportFile(
  { report, output }: PullOptions,
  references: readonly (string | RequestedImage)[],
): Promise<ReportFile | undefined> {
  if (report === undefined) return undefined;
  const texts = checkedImages("pull", references).map(({ reference }) => reference);
  if (typeof output === "string") await checkListApart(report, output);
  return await ReportFile.at(report, v1Folders(texts));
}

export interface Pulled {
  readonly expanded: ExpandedV1;
  /** Images that did not fail. */
  readonly read: readonly ReadImage[];
  /** In the archive. */
  readonly names: ReadonlyMap<V1Found, string>;
  readonly facts: V1Facts;
  /** Absent where not all layers are known. */
  readonly written?: { readonly plan: CopyPlan; readonly images: readonly WrittenImage[] };
}

/** A row for each image that is in the archive, or that a dry run would put there. */
export function reportPulled(ledger: RescueLedger, { expanded, read, names, facts, written }: Pulled): void {
  const sizeOf = (layer: V1ChainLayer): number | undefined => facts.find(layer)?.stored.size ?? layer.json.size;
  const byName = new Map(written?.images.flatMap(image => image.names.map(name => [name, image] as const)));
  for (const { found, image } of read) {
    ledger.addLayers(image, sizeOf);
    const target = names.get(found) ?? "";
    const digest = byName.get(target)?.digest;
    const view = digest === undefined ? undefined : written?.plan.manifests.get(digest)?.view;
    ledger.done(expanded.images.indexOf(found), {
      source: found.source,
      id: image.id,
      target,
      digest,
      config: view?.kind === "image" ? view.config.digest : undefined,
      bytes: image.chain.reduce((sum, layer) => sum + (sizeOf(layer) ?? 0), 0),
    });
  }
}
