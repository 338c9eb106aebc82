import type { Readable } from "node:stream";
import type { ScanOptions, StreamedArchive } from "../archive/open/streamed-archive.ts";
import { type ArchiveSource, openArchive } from "../archive/open-archive.ts";
import type { Root } from "../content/contracts.ts";
import { noteTo, type OnProgress, readingTo } from "../content/progress.ts";
import { readBlob } from "../content/pump.ts";
import { gather } from "../copy/gather.ts";
import { wrongSizes } from "../copy/plan-notes.ts";
import { ArchiveError, isMissingBlob } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, digestAlgorithm } from "../oci/digest.ts";
import { publisherOf } from "../oci/foreign-layer.ts";
import { parseImageConfig } from "../oci/image-config.ts";
import { type ImageParts, isArtifact } from "../oci/is-artifact.ts";
import { MAX_CONFIG_BYTES } from "../oci/limits.ts";
import { isForeignLayerType, layerCompression } from "../oci/media-types.ts";
import { hashLayer } from "../transform/hash-layer.ts";
import { blameChangedInput } from "../util/input-guard.ts";
import { checkedOptions } from "../util/options/checked-options.ts";
import { runBounded } from "../util/task-group.ts";
import { READING } from "./options/common-options.ts";
import { checkText } from "./options/option-values.ts";
import { type BodyHashes, hashWhileScanning } from "./shared/hash-while-scanning.ts";

/** Options of `verify`. */
export interface VerifyOptions {
  /** Is called with each progress event. */
  readonly onProgress?: OnProgress | undefined;
  /** Stream that the archive "-" is read from. Default: stdin of the process. */
  readonly stdin?: Readable | undefined;
  /** Stops the call; its promise rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/** One thing that is wrong with an archive. */
export interface ArchiveFault {
  /** "diff-id": a layer does not inflate to what the config says. */
  readonly kind: "missing" | "size" | "digest" | "diff-id" | "unreadable";
  /** Digest by which the archive names the blob. */
  readonly blob: Digest;
  /** Digest, size or state that was found. */
  readonly found: string;
  readonly expected: string;
  /** The error that ended the check of this blob: a full sentence, more precise than `found` and `expected`. */
  readonly message?: string;
}

/** What `verify` found. */
export interface VerifyResult {
  /** Path as it was given. */
  readonly archive: string;
  /** Number of images. */
  readonly images: number;
  /** Number of blobs. */
  readonly blobs: number;
  /** Sum of the blobs, as stored. */
  readonly bytes: number;
  /** Empty for an archive that is intact. */
  readonly faults: readonly ArchiveFault[];
  /** What could not be checked, and why. */
  readonly unchecked: readonly string[];
  readonly seconds: number;
}

/** What the metadata of the archive says about a blob. */
interface Claim {
  readonly descriptor: Descriptor;
  readonly diffIds: Set<Digest>;
}

const CONCURRENCY = 4;

/**
 * Checks an archive by hashing everything in it: manifests, configs and layers against their digests, and the content of
 * compressed layers against the diff_ids in the configs. It continues after a fault.
 *
 * @param path file, folder, or "-" for stdin.
 * @returns also if there are faults.
 * @throws ArchiveError if the file is no readable archive, or if its two views contradict each other; StorageError.
 * @example
 * ```ts
 * import { verify } from "imgpack";
 *
 * const { faults } = await verify("app.tar");
 * for (const { kind, blob } of faults) console.error(kind, blob);
 * ```
 */
export async function verify(path: string, options: VerifyOptions = {}): Promise<VerifyResult> {
  checkText("verify", "the path of an archive", path);
  options = checkedOptions<VerifyOptions>(options, READING);
  const started = performance.now();
  const { signal, onProgress = () => undefined } = options;
  const onNote = noteTo(onProgress);
  const onRead = readingTo(onProgress, path);
  const damaged = new Map<Digest, string>();
  const onDamage = (blob: Digest, { message }: Error): void => void damaged.set(blob, message);
  const hashes: BodyHashes = new Map();
  const scan = async (scan: ScanOptions): Promise<StreamedArchive> => await hashWhileScanning(scan, hashes, onProgress);
  await using archive = await openArchive(path, { onNote, onRead, onDamage, signal, scan, stdin: options.stdin });
  const faults: ArchiveFault[] = [];
  const unchecked: string[] = [];
  const claims = await collectClaims(archive, faults, unchecked, onNote, signal);
  const bytes = [...claims.values()].reduce((sum, { descriptor }) => sum + descriptor.size, 0);
  onProgress({ kind: "planned", blobs: claims.size, bytes });
  const ordered = [...claims.values()].sort((left, right) => right.descriptor.size - left.descriptor.size);
  const check = async (claim: Claim, stop: AbortSignal): Promise<void> => {
    for (const fault of await checkClaim(archive, claim, hashes, unchecked, onProgress, stop)) faults.push(fault);
  };
  await blameChangedInput(archive.confirm, async () => await runBounded(ordered, CONCURRENCY, check, signal));
  for (const [blob, message] of damaged) {
    if (faults.some(fault => fault.blob === blob)) continue;
    faults.push({ kind: "digest", blob, found: "another digest", expected: blob, message });
  }
  // If the archive changed meanwhile, the result is void.
  await archive.confirm();
  faults.sort((left, right) => (left.blob < right.blob ? -1 : 1));
  const seconds = (performance.now() - started) / 1000;
  return { archive: path, images: archive.images.length, blobs: claims.size, bytes, faults, unchecked, seconds };
}

async function collectClaims(
  archive: ArchiveSource,
  faults: ArchiveFault[],
  unchecked: string[],
  onNote: (message: string) => void,
  signal: AbortSignal | undefined,
): Promise<Map<Digest, Claim>> {
  const claims = new Map<Digest, Claim>();
  const claim = (descriptor: Descriptor, diffId?: Digest): void => {
    if (isForeignLayerType(descriptor.mediaType) && !archive.hasBlob(descriptor.digest)) {
      const text = `foreign layer ${descriptor.digest}: not in the archive${publisherOf(descriptor)}`;
      if (!unchecked.includes(text)) unchecked.push(text);
      return;
    }
    const known = claims.get(descriptor.digest) ?? { descriptor, diffIds: new Set() };
    if (diffId !== undefined) known.diffIds.add(diffId);
    claims.set(descriptor.digest, known);
  };
  const claimImage = async (image: ImageParts): Promise<void> => {
    claim(image.config);
    const diffIds = isArtifact(image) ? [] : await readDiffIds(archive, image.config, signal);
    for (const [index, layer] of image.layers.entries()) claim(layer, diffIds[index]);
  };
  for (const root of archive.images) {
    if (root.kind === "draft") {
      const { config, layers } = root.draft;
      await claimImage({ config, layers: layers.flatMap(layer => ("key" in layer ? [] : [layer])) });
    } else await claimGraph(archive, root.descriptor, { claim, claimImage, faults, unchecked, onNote }, signal);
  }
  for (const descriptor of archive.oci?.blobs.unclaimed(new Set(claims.keys())) ?? []) claim(descriptor);
  return claims;
}

interface Collecting {
  readonly claim: (descriptor: Descriptor) => void;
  readonly claimImage: (image: ImageParts) => Promise<void>;
  readonly faults: ArchiveFault[];
  readonly unchecked: string[];
  readonly onNote: (message: string) => void;
}

async function claimGraph(
  archive: ArchiveSource,
  descriptor: Descriptor,
  { claim, claimImage, faults, unchecked, onNote }: Collecting,
  signal: AbortSignal | undefined,
): Promise<void> {
  const absent = (digest: Digest): number =>
    unchecked.push(`image ${digest}: its index lists it, but the archive does not contain it`);
  const root: Root = { kind: "settled", names: [], descriptor };
  try {
    const plan = await gather(archive, [root], signal, undefined, ({ digest }) => absent(digest));
    for (const message of wrongSizes(plan)) onNote(message);
    for (const { descriptor: found, view } of plan.manifests.values()) {
      claim(found);
      if (view.kind === "other") for (const blob of view.blobs) claim(blob);
      if (view.kind !== "image") continue;
      // Docker's containerd store saves only the manifest of a platform that it does not contain.
      const isBelowIndex = found.digest !== descriptor.digest;
      if (isBelowIndex && !archive.hasBlob(view.config.digest)) absent(found.digest);
      else await claimImage(view);
    }
  } catch (error) {
    signal?.throwIfAborted();
    faults.push({
      kind: "unreadable",
      blob: descriptor.digest,
      found: "no readable manifest",
      expected: "one",
      message: error instanceof Error ? error.message : String(error),
    });
  }
}

async function readDiffIds(
  archive: ArchiveSource,
  config: Descriptor,
  signal: AbortSignal | undefined,
): Promise<readonly Digest[]> {
  try {
    const bytes = await readBlob(await archive.blob(config, signal), MAX_CONFIG_BYTES, signal);
    return parseImageConfig(bytes, `config ${config.digest}`).diffIds;
  } catch {
    // A missing or altered config is reported when it is hashed.
    return [];
  }
}

async function checkClaim(
  archive: ArchiveSource,
  { descriptor, diffIds }: Claim,
  hashes: BodyHashes,
  unchecked: string[],
  onProgress: OnProgress,
  signal: AbortSignal,
): Promise<readonly ArchiveFault[]> {
  const { digest, size, mediaType } = descriptor;
  try {
    const blob = await archive.blob(descriptor, signal);
    const entry = archive.entryOf(digest);
    const claimed = layerCompression(mediaType);
    const content = entry === undefined ? undefined : await archive.archive.compressionOf(entry);
    const compression = claimed === undefined ? undefined : content;
    // podman's docker-dir has raw layers with gzip media types; runtimes detect the compression by the bytes.
    if (claimed !== undefined && claimed !== (content ?? "none"))
      unchecked.push(`media type of ${digest}: its manifest says ${claimed}, but the layer is ${content ?? "raw"}`);
    const known = entry === undefined ? undefined : hashes.get(entry.bodyOffset);
    if (known instanceof ArchiveError) throw known;
    const how = { algorithm: digestAlgorithm(digest), what: `layer ${digest}`, compression };
    const onBytes = (delta: number): void => onProgress({ kind: "bytes", blob: digest, delta });
    const found = known ?? (await hashLayer(blob, how, signal, onBytes));
    if (found.digest !== digest) return [{ kind: "digest", blob: digest, found: found.digest, expected: digest }];
    const diffId = compression === undefined ? found.digest : found.diffId;
    return [...diffIds].flatMap((expected): readonly ArchiveFault[] =>
      diffId === undefined || diffId === expected ? [] : [{ kind: "diff-id", blob: digest, found: diffId, expected }],
    );
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ArchiveError)) throw error;
    const expected = `${size} bytes`;
    if (isMissingBlob(error)) return [{ kind: "missing", blob: digest, found: "no entry", expected }];
    const [kind, found] =
      error.reason === "size-mismatch"
        ? (["size", "another size"] as const)
        : (["unreadable", "no readable bytes"] as const);
    return [{ kind, blob: digest, found, expected, message: error.message }];
  }
}
