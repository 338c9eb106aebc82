import { gzipProfile } from "../../../compress/gzip/gzip-profile.ts";
import type { LayerProfile } from "../../../compress/layer-profile.ts";
import { zstdProfile } from "../../../compress/zstd/zstd-profile.ts";
import type { ImageSource } from "../../../content/contracts.ts";
import { noteTo } from "../../../content/progress.ts";
import { openLayerFacts } from "../../../copy/layer-facts.ts";
import { IntegrityError, UsageError } from "../../../errors.ts";
import type { LayerCompression } from "../../../oci/media-types.ts";
import { hostPlatform } from "../../../oci/platform.ts";
import { readingSource } from "../../../registry/client/registry-answer.ts";
import type { Repacking } from "../../../transform/measure-layer.ts";
import { counted, formatBytes } from "../../../util/format.ts";
import type { ToolFiles } from "../../files/tool-files.ts";
import { listOf } from "../../options/option-values.ts";
import { readPlatforms } from "../../options/read-platforms.ts";
import { type OpenedOutput, openOutput } from "../../output/open-output.ts";
import type { PullOptions, PullResult } from "../../pull-options.ts";
import { checkedImages, type RequestedImage } from "../../requested/requested-image.ts";
import { type LayerChange, layerChange } from "../../shared/layer-change.ts";
import { loaderProfile } from "../../shared/loader-profile.ts";
import type { Written } from "../../shared/write-images.ts";
import { expandV1, type V1Found } from "../expand-v1.ts";
import { nameV1Images } from "../name-v1-images.ts";
import { factsByCheck } from "../reading/facts-by-check.ts";
import type { MeasuredFacts } from "../reading/measured-layer.ts";
import { v1ImageSource } from "../reading/v1-image-source.ts";
import { RescueLedger } from "../report/rescue-ledger.ts";
import { withReport } from "../report/with-report.ts";
import { V1Stores } from "../v1-stores.ts";
import type { UnknownLayer } from "./measure-layers.ts";
import { pullReportFile, reportPulled } from "./pull-report.ts";
import { type ReadImage, readV1Images, unknownLayers } from "./read-v1-images.ts";
import { V1Facts } from "./v1-facts.ts";
import { V1Failures } from "./v1-failures.ts";
import { type MeasuredImages, writeMeasured } from "./write-measured.ts";

/** Pulls images of v1 registries: `pull` with `v1://` references. */
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
  const { signal, keepGoing = false, dryRun, onProgress } = options;
  const onNote = noteTo(onProgress);
  const requested = checkedImages("pull", references);
  const texts = requested.map(({ reference }) => reference);
  const platforms = readPlatforms("pull", options.platform, [hostPlatform()]);
  const change = layerChange(options.layers, options.for && loaderProfile(options.for));
  await using stores = new V1Stores(options, options.trustedReferences ?? texts);
  stores.admit(texts);
  const output = await openOutput(options.output);
  const tools = await findTools(output);
  const expanded = await expandV1(requested, { stores, keepGoing, onNote, signal });
  ledger.list(
    expanded.images.map(({ source }) => source),
    expanded.repositories,
    expanded.repositoriesWithoutTags,
  );
  const { names, failed: unnamed } = nameV1Images(expanded, onNote);
  const failures = new V1Failures(keepGoing, (source, error) => ledger.failAll(source, error));
  for (const { source, error } of [...expanded.failed, ...unnamed]) failures.add(source, error, signal);
  const cached = factsByCheck(await openLayerFacts(options.cacheDir, onNote), options.v1Checksums === false);
  const facts = new V1Facts(cached, repackingFor(change));
  const read = await readV1Images(
    expanded.images.filter(image => names.has(image)),
    failures,
    signal,
  );
  failures.checkLeft(read.length);
  const { repositories, repositoriesWithoutTags: empty } = expanded;
  if (empty > 0) onNote(`${empty} of ${repositories} repositories without tags`);
  const unknown = unknownLayers(read, facts);
  const total = expanded.images.length + expanded.failed.length;
  const result = { output: output.name, tools: tools?.files ?? [] };
  if (dryRun === true && unknown.length > 0) {
    const planned = plannedLayers(read);
    onNote(planned.note);
    reportPulled(ledger, { expanded, read, names, facts });
    const { blobs, blobBytes } = planned;
    const whole: PullResult = {
      ...result,
      images: [],
      platforms: [],
      blobs,
      blobBytes,
      requests: await stores.requests(),
      seconds: secondsSince(started),
      rescue: ledger.report(),
    };
    failures.settle(whole, total, "Nothing was written.");
    return whole;
  }
  if (dryRun !== true) await tools?.copy(signal);
  const left = (): readonly ReadImage[] => {
    const images = read.filter(({ found }) => !failures.has(found.source));
    failures.checkLeft(images.length);
    return images;
  };
  const onFailed = ({ layer }: UnknownLayer, error: unknown): void => {
    for (const { found, image } of read)
      if (image.chain.some(({ key }) => key === layer.key)) failures.add(found.source, error, signal);
  };
  const noChecksums = options.v1Checksums === false;
  const source: MeasuredImages["source"] = (images, known) => imageSource(images, names, known, facts.repack);
  const write = async (): Promise<Written> =>
    await readingSource(
      async () =>
        await writeMeasured(
          { facts, left, source, noChecksums, onFailed },
          {
            verb: "pull",
            ...options,
            referrers: false,
            output,
            platforms,
            isPlatformDefault: listOf(options.platform).length === 0,
            left: failures.left,
            counted: facts.read,
            command: commandOf(
              expanded.images.map(({ source: name }) => name),
              options,
            ),
            sourceName: texts.join(", "),
          },
        ),
    );
  const { plan, ...written } = await write().catch(async (error: unknown) => {
    const isChanged = error instanceof IntegrityError && error.origin === "source" && (await facts.forget());
    // What went to a stream cannot be taken back: the next run reads the layers again.
    if (!isChanged || output.kind === "stream") throw error;
    onNote(`${texts.join(", ")} has other layers than in an earlier run: reading them again`);
    return await write();
  });
  reportPulled(ledger, { expanded, read: left(), names, facts, written: { plan, images: written.images } });
  const whole: PullResult = {
    ...result,
    ...written,
    blobBytes: plan.totalBytes,
    blobs: plan.blobs.length,
    requests: await stores.requests(),
    seconds: secondsSince(started),
    rescue: ledger.report(),
  };
  failures.settle(whole, total, `${output.name} contains the others.`);
  return whole;
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

function plannedLayers(images: readonly ReadImage[]) {
  const sizes = new Map<string, number | undefined>();
  for (const { image } of images) for (const { key, json } of image.chain) sizes.set(key, json.size);
  const bytes = [...sizes.values()].reduce<number>((sum, size) => sum + (size ?? 0), 0);
  const unsized = [...sizes.values()].filter(size => size === undefined).length;
  const rest = unsized === 0 ? "" : `, and ${counted(unsized, "layer")} of unknown size`;
  const note = `${counted(images.length, "tag")} with ${counted(sizes.size, "layer")}, ${formatBytes(bytes)}${rest}: digests are known after the layers are read`;
  return { blobs: sizes.size, blobBytes: bytes, note };
}

/** What makes two runs the same. */
function commandOf(sources: readonly string[], { layers, for: loader, v1Checksums = true }: PullOptions): string {
  return JSON.stringify(["pull v1", sources, layers, loader, v1Checksums]);
}

function secondsSince(started: number): number {
  return (performance.now() - started) / 1000;
}
