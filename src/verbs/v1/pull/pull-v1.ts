import { gzipProfile } from "../../../compress/gzip/gzip-profile.ts";
import type { LayerProfile } from "../../../compress/layer-profile.ts";
import { zstdProfile } from "../../../compress/zstd/zstd-profile.ts";
import { noteTo } from "../../../content/progress.ts";
import { openLayerFacts } from "../../../copy/layer-facts.ts";
import { UsageError } from "../../../errors.ts";
import type { LayerCompression } from "../../../oci/media-types.ts";
import { hostPlatform } from "../../../oci/platform.ts";
import type { ToolFiles } from "../../files/tool-files.ts";
import { readPlatforms } from "../../options/read-platforms.ts";
import { forEngine, loadedBy } from "../../output/for-engine.ts";
import { type OpenedOutput, openOutput } from "../../output/open-output.ts";
import type { PullOptions, PullResult } from "../../pull-options.ts";
import { checkedImages, type RequestedImage } from "../../requested/requested-image.ts";
import { type LayerChange, layerChange } from "../../shared/layer-change.ts";
import { loaderProfile } from "../../shared/loader-profile.ts";
import { factsByCheck } from "../reading/facts-by-check.ts";
import { RescueLedger } from "../report/rescue-ledger.ts";
import { withReport } from "../report/with-report.ts";
import { V1Stores } from "../v1-stores.ts";
import { findImages } from "./find-images.ts";
import { planUnread } from "./plan-unread.ts";
import { pullReportFile, reportPulled } from "./pull-report.ts";
import { unknownLayers } from "./read-v1-images.ts";
import { V1Facts } from "./v1-facts.ts";
import { writeFound } from "./write-found.ts";

/**
 * Pulls images of v1 registries: `pull` with `v1://` references.
 *
 * @throws as `pull`; UsageError for options that mean nothing for v1; PartialError if the report cannot be written.
 */
export async function pullV1(
  references: readonly (string | RequestedImage)[],
  options: PullOptions,
  findTools: (output: OpenedOutput) => Promise<ToolFiles | undefined>,
): Promise<PullResult> {
  refuseOptions(options);
  const file = await pullReportFile(options, references);
  const ledger = new RescueLedger({ dryRun: options.dryRun === true, verifies: false });
  const pull = async (): Promise<PullResult> => await pullAll(references, options, findTools, ledger);
  return await withReport(file, ledger, noteTo(options.onProgress), pull);
}

async function pullAll(
  references: readonly (string | RequestedImage)[],
  options: PullOptions,
  findTools: (output: OpenedOutput) => Promise<ToolFiles | undefined>,
  ledger: RescueLedger,
): Promise<PullResult> {
  const started = performance.now();
  const { signal, dryRun = false, v1Checksums = true } = options;
  const onNote = noteTo(options.onProgress);
  const requested = checkedImages("pull", references);
  const texts = requested.map(({ reference }) => reference);
  const platforms = readPlatforms("pull", options.platform, [hostPlatform()]);
  const { sign, volumeSize, volume } = options;
  const output = await openOutput(options.output, { sign, volumeSize, volume, signal });
  options = forEngine(options, output);
  const change = layerChange(options.layers, options.for && loaderProfile(options.for));
  await using stores = new V1Stores(options, options.trustedReferences ?? texts);
  stores.admit(texts);
  const tools = await findTools(output);
  const found = await findImages(requested, stores, ledger, options);
  const cached = factsByCheck(await openLayerFacts(options.cacheDir, onNote), !v1Checksums);
  const facts = new V1Facts(cached, repackingFor(change));
  if (!dryRun) await tools?.copy(signal);
  const isUnread = dryRun && unknownLayers(found.read, facts).length > 0;
  const pulled = isUnread
    ? planUnread(found.read, onNote)
    : await writeFound(found, facts, { output, platforms, sourceName: texts.join(", ") }, options);
  reportPulled(ledger, found, facts, pulled);
  const { images, blobs, blobBytes } = pulled;
  const result: PullResult = {
    output: output.name,
    ...loadedBy(output),
    ...(pulled.volumes === undefined ? {} : { volumes: pulled.volumes }),
    tools: tools?.files ?? [],
    // An image with its layers as stored is in no registry: no one knows its digest.
    images: images.map(({ previousDigest: _, ...image }) => image),
    platforms: pulled.platforms,
    blobs,
    blobBytes,
    requests: await stores.requests(),
    seconds: (performance.now() - started) / 1000,
    rescue: ledger.report(),
  };
  const total = found.expanded.images.length + found.expanded.failed.length;
  found.failures.settle(result, total, dryRun ? "Nothing was written." : `${output.name} contains the others.`);
  return result;
}

/** @throws UsageError for what a v1 registry does not have. */
function refuseOptions(options: PullOptions): void {
  const given = [
    ["mirror", options.mirror],
    ["lock", options.lock],
    ["sparse", options.sparse],
    ["foreign", options.foreign],
    ["require-referrers", options.requireReferrers],
  ].flatMap(([name, value]) => (value === undefined || (Array.isArray(value) && value.length === 0) ? [] : [name]));
  if (given.length === 0) return;
  throw new UsageError(
    `Cannot use ${given.map(name => `--${name}`).join(", ")} with v1 references: found both, expected one`,
    {
      hint: "Registries of the v1 protocol have no indexes, digests or referrers.",
    },
  );
}

/** Layers get their final compression while they are measured, where a gzip or zstd layer is wanted. */
function repackingFor({ target, only }: LayerChange): (stored: LayerCompression) => LayerProfile | undefined {
  if (target === "raw") return () => undefined;
  return stored => {
    const isChanged = stored !== target && (only === undefined || only.has(stored));
    if (!isChanged) return undefined;
    return target === "zstd" ? zstdProfile() : gzipProfile();
  };
}
