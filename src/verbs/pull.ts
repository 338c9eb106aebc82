import type { Root } from "../content/contracts.ts";
import type { OnProgress } from "../content/progress.ts";
import { copyImages } from "../copy/copy-image.ts";
import { openDigestCache } from "../copy/digest-cache.ts";
import { gather } from "../copy/gather.ts";
import { selectPlatforms } from "../copy/select-platforms.ts";
import { UsageError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { formatPlatform, hostPlatform, type Platform, parsePlatform } from "../oci/platform.ts";
import { parseReference, resolveDockerHub } from "../oci/reference.ts";
import { type FullReference, registrySource } from "../store/registry-source.ts";
import { universalArchive } from "../store/universal-archive.ts";
import { Registries, type RegistryOptions } from "./registries.ts";

export interface PullOptions extends RegistryOptions {
  /** File to write; it appears when it is whole. */
  readonly output: string;
  /** For references that name no registry; Docker Hub without it. */
  readonly registry?: string | undefined;
  /** `os/architecture[/variant]`, or "all"; linux with this machine's architecture without it. */
  readonly platforms?: readonly string[] | undefined;
  /** Blobs under way at once; 6 without it. */
  readonly concurrency?: number | undefined;
  /** Plans, and writes nothing. */
  readonly dryRun?: boolean | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PulledImage {
  /** Full names in the archive; none for an image pulled by digest. */
  readonly names: readonly string[];
  /** Of the manifest or index, as in the registry. */
  readonly digest: Digest;
  readonly mediaType: string;
}

export interface PullResult {
  readonly output: string;
  readonly images: readonly PulledImage[];
  /** Of all blobs, each once. */
  readonly blobBytes: number;
  readonly blobs: number;
  readonly requests: number;
  readonly platforms: readonly string[];
  readonly seconds: number;
}

const CONCURRENCY = 6;

/**
 * Pulls images into one archive that docker, podman and containerd load: blobs in parallel, each straight to its place
 * in the file, the registry's bytes untouched.
 *
 * @throws ImgpackError; nothing stands under the output's name unless everything arrived.
 */
export async function pull(references: readonly string[], options: PullOptions): Promise<PullResult> {
  const started = performance.now();
  const { output, signal, concurrency = CONCURRENCY } = options;
  const onProgress = options.onProgress ?? (() => undefined);
  if (references.length === 0) throw new UsageError("Cannot pull: no image named, expected at least one reference");
  const wanted = wantedPlatforms(options.platforms);
  await using registries = new Registries(options, onProgress);
  await using source = registrySource(
    references.map(text => fullReference(text, options.registry)),
    registries.clientFor,
  );
  const roots: Root[] = [];
  for await (const root of source.roots(signal)) roots.push(root);
  const plan = await gather(source, roots, signal, selectPlatforms(wanted));
  const [first = hostPlatform()] = wanted === "all" ? [hostPlatform()] : wanted;
  if (!options.dryRun) {
    const target = universalArchive(output, { platform: first });
    const cache = await openDigestCache(undefined);
    const sourceName = references.join(", ");
    await copyImages({ plan, source, target, sourceName, cache, concurrency, onProgress, signal });
  }
  const { requests } = await registries.traffic();
  return {
    output,
    images: roots.flatMap(root =>
      root.kind === "settled"
        ? [{ names: root.names, digest: root.descriptor.digest, mediaType: root.descriptor.mediaType }]
        : [],
    ),
    blobBytes: plan.totalBytes,
    blobs: plan.blobs.length,
    requests,
    platforms: wanted === "all" ? ["all"] : wanted.map(formatPlatform),
    seconds: (performance.now() - started) / 1000,
  };
}

function fullReference(text: string, registry: string | undefined): FullReference {
  const reference = parseReference(text);
  const named = reference.registry === undefined && registry !== undefined ? { ...reference, registry } : reference;
  return resolveDockerHub(named);
}

function wantedPlatforms(texts: readonly string[] | undefined): readonly Platform[] | "all" {
  if (texts === undefined || texts.length === 0) return [hostPlatform()];
  if (!texts.includes("all")) return texts.map(parsePlatform);
  if (texts.length === 1) return "all";
  throw new UsageError('Cannot pull: "all" stands beside other platforms, expected it alone');
}
