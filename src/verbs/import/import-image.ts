import { archiveFileTarget } from "../../archive/write/archive-file-target.ts";
import { noteTo, type OnProgress } from "../../content/progress.ts";
import { type CopyOptions, copyImages } from "../../copy/copy-image.ts";
import { openDigestCache } from "../../copy/digest-cache.ts";
import { gather } from "../../copy/gather.ts";
import { InternalError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { append } from "../../util/append.ts";
import { quote } from "../../util/format.ts";
import { blameChangedInput } from "../../util/input-guard.ts";
import { checkedOptions, type OptionsShape } from "../../util/options/checked-options.ts";
import { choice, OUTPUT_PATH, required, TEXTS } from "../../util/options/option-kinds.ts";
import { checkApart } from "../../util/output-checks.ts";
import { COMPRESSION, TRANSFER } from "../options/common-options.ts";
import { checkText } from "../options/option-values.ts";
import { findAlreadyPushed } from "../shared/already-pushed.ts";
import { Attempts } from "../shared/attempts.ts";
import { type BlobCounts, createBlobCounter } from "../shared/blob-counts.ts";
import type { Destination } from "../shared/destinations.ts";
import { RegistryPool } from "../shared/registry-pool.ts";
import { openImportInput } from "./import-input.ts";
import { hashInput, type ImportRun, sealedLayer, sealInput, sendLayer } from "./import-layers.ts";
import { IMPORT_SETTINGS, type ImportSettings, readSettings } from "./import-settings.ts";
import { type ImportTargetOptions, importTarget, type ManifestFormat } from "./import-target.ts";
import { importedImage } from "./imported-image.ts";

/** Owner of the files of a folder that becomes a layer: 0:0, or the numbers that they have. */
export type Owner = "root" | "keep";

/** Options of `importImage`. */
export interface ImportOptions extends ImportSettings, ImportTargetOptions {
  /** Default "root". A tar always keeps its owners. */
  readonly owner?: Owner | undefined;
  /** Most blobs in transfer at the same time: it starts with 6, and takes more while that makes the call faster. Default 32. */
  readonly concurrency?: number | undefined;
  /**
   * Folder that remembers the digests of compressed layers, the repositories that hold blobs, and unfinished uploads.
   * Default: nothing is remembered after the call.
   */
  readonly cacheDir?: string | undefined;
  /** Makes the image for its digest, but writes and sends nothing. Default false. */
  readonly dryRun?: boolean | undefined;
  /** Is called with each progress event. */
  readonly onProgress?: OnProgress | undefined;
  /** Stops the call; its promise rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

const IMPORT_OPTIONS: OptionsShape<ImportOptions> = {
  ...TRANSFER,
  ...IMPORT_SETTINGS,
  tag: required(TEXTS),
  output: OUTPUT_PATH,
  compression: COMPRESSION,
  format: choice<ManifestFormat>(["oci", "docker"]),
  owner: choice<Owner>(["root", "keep"]),
};

/** One name of the image that was made. */
export interface ImportedImage {
  /** `registry/repository:tag` */
  readonly reference: string;
  /** Of the manifest. */
  readonly digest: Digest;
}

/** What `importImage` made. */
export interface ImportResult {
  /** One per name. */
  readonly images: readonly ImportedImage[];
  /** Digest of the config, which docker calls the image ID. */
  readonly imageId: Digest;
  /** Digest of the uncompressed layer. */
  readonly diffId: Digest;
  /** Absent if the registry had the image already, so that the layer was not made. */
  readonly layer?: Descriptor;
  /** Path of the archive, as it was given. */
  readonly output?: string;
  readonly blobs: BlobCounts;
  /** HTTP requests. */
  readonly requests: number;
  /** Bytes of request bodies. */
  readonly bytesSent: number;
  readonly seconds: number;
}

/**
 * Makes an image of one layer from a root filesystem, and pushes it or writes it to an archive. The same input and options
 * give the same image, on any machine.
 *
 * @param path tar, plain or compressed, or a folder.
 * @throws UsageError for settings that no image can have, or a name without a registry.
 * @throws ArchiveError for a tar that is no root filesystem; StorageError for what cannot be read or written.
 * @throws AuthError, NetworkError, RegistryError from the registry.
 * @throws PartialError if some of several repositories failed; the image is in the others.
 * @example
 * ```ts
 * import { importImage } from "imgpack";
 *
 * const { imageId } = await importImage("rootfs/", { tag: "team/base:1.0", output: "base.tar", cmd: '["/bin/sh"]' });
 * console.log(imageId);
 * ```
 */
export async function importImage(path: string, options: ImportOptions): Promise<ImportResult> {
  checkText("import", "the path of a root filesystem", path);
  options = checkedOptions(options, IMPORT_OPTIONS);
  const started = performance.now();
  const { signal, output } = options;
  const settings = readSettings(options);
  const target = importTarget(quote(path), options);
  const blobCounter = createBlobCounter(options.onProgress ?? (() => undefined));
  const { onProgress } = blobCounter;
  const onNote = noteTo(onProgress);
  const keepOwner = options.owner === "keep";
  const packing = { mtime: settings.mtime, keepOwner };
  await using input = await openImportInput(path, packing, onNote, signal);
  if (output !== undefined) await checkApart(output, [path]);
  const cache = await openDigestCache(options.cacheDir, onNote);
  const { author, message } = options;
  const named = target.destinations.map(({ registry }) => registry);
  await using registries = new RegistryPool(options, named, onProgress, options.cacheDir);
  const { pace } = registries;
  const run: ImportRun = { input, target, settings, author, message, pace, cache, onProgress, onNote, signal };
  registries.admit(named);
  const attempts = new Attempts(target.destinations.length, signal);
  const imported = await blameChangedInput(input.confirm, async () =>
    output !== undefined || options.dryRun
      ? await toArchive(run, options.dryRun ? undefined : output)
      : await toRegistries(run, registries, attempts),
  );
  const traffic = await registries.traffic();
  const result: ImportResult = {
    ...imported,
    ...(output === undefined ? {} : { output }),
    ...traffic,
    blobs: blobCounter.counts(),
    seconds: (performance.now() - started) / 1000,
  };
  if (attempts.failures.length === 0) return result;
  const hint = "The image is in the others. Fix the cause and run the same command again.";
  return attempts.settle("import image to", "repositories", result, hint);
}

type Imported = Pick<ImportResult, "images" | "imageId" | "diffId" | "layer">;

/** An archive needs sizes before its first byte, so the layer is built twice: the first time for its size. */
async function toArchive(run: ImportRun, output: string | undefined): Promise<Imported> {
  const { input, target, settings, onNote, signal } = run;
  if (output !== undefined && input.kind === "made") {
    const verb = input.compression === undefined ? "Packing" : "Inflating";
    onNote(`${verb} ${input.what} twice: the first time for its size`);
  }
  const layer = await sealInput(run);
  await input.confirm();
  const image = importedImage(run, layer);
  const names = target.names.length > 0 ? target.names : target.destinations.flatMap(namesOf);
  const root = image.settled(names);
  if (output !== undefined) {
    const plan = await gather(image.source, [root], signal);
    const archive = archiveFileTarget(output, {
      platform: settings.platform,
      lock: { platforms: [settings.platform], sparse: "keep" },
    });
    await copyImages({ ...copyOptions(run), plan, source: image.source, target: archive });
  }
  const images = names.map(reference => ({ reference, digest: root.descriptor.digest }));
  return { images, imageId: image.config.digest, diffId: layer.diffId, layer: layer.layer };
}

/** Builds the layer while it is sent. */
async function toRegistries(run: ImportRun, registries: RegistryPool, attempts: Attempts): Promise<Imported> {
  const { input, target, cache, signal } = run;
  let layer = input.kind === "made" ? undefined : await hashInput(run);
  const images: ImportedImage[] = [];
  for (const destination of target.destinations) {
    const { registry, repository } = destination;
    const name = `${registry}/${repository}`;
    await attempts.run(name, async () => {
      const registryTarget = await registries.targetFor(destination, cache, signal);
      const isSent = layer === undefined;
      layer ??= await sendLayer(run, registryTarget);
      const image = importedImage(run, layer);
      const root = image.draft(destination.roots.flatMap(({ names }) => names));
      const { present, absent } = target.isPlain
        ? await findAlreadyPushed(
            await registries.repositoryFor(destination, signal, "pull,push"),
            [root],
            cache,
            signal,
          )
        : { present: [], absent: [[0, root] as const] };
      for (const { tag, descriptor } of present) {
        const reference = `${name}:${tag}`;
        images.push({ reference, digest: descriptor.digest });
        run.onNote(`${reference} is this image already: nothing to push`);
      }
      if (absent.length === 0) return;
      const missing = absent.map(([, wanted]) => wanted);
      const whole = await gather(image.source, missing, signal);
      const plan = isSent ? { ...whole, blobs: [image.config], totalBytes: image.config.size } : whole;
      const copied = { ...copyOptions(run), plan, source: image.source, target: registryTarget };
      for (const { names, descriptor } of await copyImages(copied)) {
        append(
          images,
          names.map(tag => ({ reference: `${name}:${tag}`, digest: descriptor.digest })),
        );
      }
    });
  }
  const [failure] = attempts.failures;
  if (failure !== undefined && attempts.done === 0) throw failure;
  if (layer === undefined)
    throw new InternalError(`Cannot import ${input.what}: no repository to push to, expected one`);
  const descriptor = sealedLayer(layer, cache);
  const imageId = importedImage(run, layer).config.digest;
  return { images, imageId, diffId: layer.diffId, ...(descriptor === undefined ? {} : { layer: descriptor }) };
}

type RunOptions = Pick<CopyOptions, "sourceName" | "cache" | "pace" | "onProgress" | "signal">;

function copyOptions({ input, cache, pace, onProgress, signal }: ImportRun): RunOptions {
  return { sourceName: input.what, cache, pace, onProgress, signal };
}

function namesOf({ registry, repository, roots }: Destination): readonly string[] {
  return roots.flatMap(({ names }) => names.map(tag => `${registry}/${repository}:${tag}`));
}
