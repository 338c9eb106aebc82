import { type ImgpackError, PartialError, UsageError } from "../errors.ts";
import { formatPlatform, hostPlatform, type Platform } from "../oci/platform.ts";
import { parseReference, resolveDockerHub } from "../oci/reference.ts";
import { type FullReference, registrySource } from "../registry/registry-source.ts";
import { type Output, openOutput } from "./shared/open-output.ts";
import { type RegistryOptions, RegistryPool } from "./shared/registry-pool.ts";
import { type OutputOptions, readPlatforms, type WrittenImage, writeImages } from "./shared/write-images.ts";

export interface PullOptions extends RegistryOptions, OutputOptions {
  /**
   * File to write; with a slash at its end, or when it is one already, a folder; or a stream, which is not ended. A file
   * or folder appears when it is whole.
   */
  readonly output: Output;
  /** For references that name no registry; Docker Hub without it. */
  readonly registry?: string | undefined;
  /** `os/architecture[/variant]`, or "all"; linux with this machine's architecture without it. */
  readonly platforms?: readonly string[] | undefined;
  /** Of several images, those that cannot be had are left out; the call still throws when the others are written. */
  readonly keepGoing?: boolean | undefined;
  /** Discards a partial file left by an earlier run. By default a partial file of the same command is resumed. */
  readonly restart?: boolean | undefined;
}

/** `digest` is as in the registry, unless `previousDigest` says otherwise. */
export type PulledImage = WrittenImage;

export interface PullResult {
  /** "-" for a stream. */
  readonly output: string;
  readonly images: readonly PulledImage[];
  /** Of all blobs, each once. */
  readonly blobBytes: number;
  readonly blobs: number;
  readonly requests: number;
  readonly platforms: readonly string[];
  readonly seconds: number;
}

/**
 * Pulls images into one archive that docker, podman and containerd load: blobs in parallel, each straight to its place
 * in the file, the registry's bytes untouched unless `layers` or `loader` ask for other layers.
 *
 * @throws ImgpackError; nothing stands under the output's name unless everything arrived.
 */
export async function pull(references: readonly string[], options: PullOptions): Promise<PullResult> {
  const started = performance.now();
  const onProgress = options.onProgress ?? (() => undefined);
  if (references.length === 0) throw new UsageError("Cannot pull: no image named, expected at least one reference");
  const platforms = readPlatforms("pull", options.platforms, [hostPlatform()]);
  const output = await openOutput(options.output);
  const full = references.map(text => fullReference(text, options.registry));
  const failures = new Map<FullReference, ImgpackError>();
  const onFailed =
    options.keepGoing === true
      ? (reference: FullReference, error: ImgpackError): void => {
          failures.set(reference, error);
          // Nothing would be left to write.
          if (failures.size === references.length) throw error;
        }
      : undefined;
  await using registries = new RegistryPool(options, onProgress);
  await using source = registrySource(full, registries.repositoryFor, {
    candidatesFor: registries.candidatesFor,
    onNote: registries.note,
    onFailed,
  });
  const { plan, images } = await writeImages(source, {
    verb: "pull",
    ...options,
    output,
    platforms,
    command: commandOf(full, platforms, options),
    sourceName: references.join(", "),
  });
  if (failures.size > 0) {
    throw new PartialError(
      `Cannot pull ${failures.size} of ${references.length} images: ${[...failures.values()].map(({ message }) => message).join("; ")}`,
      [...failures.values()],
      {
        failed: full.flatMap((one, index) => (failures.has(one) ? (references[index] ?? []) : [])),
        hint: `${output.name} contains the others.`,
      },
    );
  }
  const { requests } = await registries.traffic();
  return {
    output: output.name,
    images,
    blobBytes: plan.totalBytes,
    blobs: plan.blobs.length,
    requests,
    platforms: platforms === "all" ? ["all"] : platforms.map(formatPlatform),
    seconds: (performance.now() - started) / 1000,
  };
}

/** What makes two runs the same: not how fast or by which way, but what is to be in the file. */
function commandOf(
  references: readonly FullReference[],
  platforms: readonly Platform[] | "all",
  { layers, loader }: PullOptions,
): string {
  const names = references.map(({ registry, repository, tag, digest }) => [registry, repository, tag, digest]);
  return JSON.stringify([
    "pull",
    names,
    platforms === "all" ? platforms : platforms.map(formatPlatform),
    layers,
    loader,
  ]);
}

function fullReference(text: string, registry: string | undefined): FullReference {
  const reference = parseReference(text);
  const named = reference.registry === undefined && registry !== undefined ? { ...reference, registry } : reference;
  return resolveDockerHub(named);
}
