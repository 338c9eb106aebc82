import type { Readable } from "node:stream";
import type { ScanOptions, StreamedArchive } from "../archive/open/streamed-archive.ts";
import { type ArchiveSource, openArchive } from "../archive/open-archive.ts";
import { noteTo, type OnProgress, readingTo } from "../content/progress.ts";
import { ArchiveError, isMissingBlob } from "../errors.ts";
import { type Digest, digestAlgorithm } from "../oci/digest.ts";
import { layerCompression } from "../oci/media-types.ts";
import { hashLayer } from "../transform/hash-layer.ts";
import { blameChangedInput } from "../util/input-guard.ts";
import { checkedOptions, type OptionsShape } from "../util/options/checked-options.ts";
import { TEXTS } from "../util/options/option-kinds.ts";
import { runBounded } from "../util/task-group.ts";
import { READING } from "./options/common-options.ts";
import { checkText, listOf } from "./options/option-values.ts";
import { type CheckedSignatures, checkSignatures, UNCHECKED_SIGNATURES } from "./referrers/check-signatures.ts";
import { type BodyHashes, hashWhileScanning } from "./shared/hash-while-scanning.ts";
import { type BundleSignature, bundleSignature, parsePublicKeys } from "./signed/bundle-signature.ts";
import { type ArchiveFault, type Claim, collectClaims } from "./verifying/collect-claims.ts";

export type { ArchiveFault } from "./verifying/collect-claims.ts";

/** Options of `verify`. */
export interface VerifyOptions {
  /**
   * Public keys in PEM, of which any one counts: with them, the signature of the archive (`sign` of `pull`) and cosign's
   * signatures of its images are checked. Default: they are not.
   */
  readonly key?: string | readonly string[] | undefined;
  /** Is called with each progress event. */
  readonly onProgress?: OnProgress | undefined;
  /** Stream that the archive "-" is read from. Default: stdin of the process. */
  readonly stdin?: Readable | undefined;
  /** Stops the call; its promise rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
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
  /**
   * What the keys say about the archive as a whole; absent without a key. If it is "signed", it is what it was when it was
   * signed, whatever signatures its images have.
   */
  readonly bundle?: BundleSignature;
  /** What the keys say about each image; absent without a key. */
  readonly signatures?: readonly CheckedSignatures[];
  readonly seconds: number;
}

const CONCURRENCY = 4;
const VERIFY_OPTIONS: OptionsShape<VerifyOptions> = { ...READING, key: TEXTS };

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
  options = checkedOptions<VerifyOptions>(options, VERIFY_OPTIONS);
  const keys = options.key === undefined ? undefined : parsePublicKeys(listOf(options.key), "key");
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
  const bundle = keys === undefined ? undefined : await bundleSignature(archive, keys, signal);
  const signatures = keys === undefined ? undefined : await checkSignatures(archive, keys, onNote, signal);
  if (signatures !== undefined) unchecked.push(UNCHECKED_SIGNATURES);
  // If the archive changed meanwhile, the result is void.
  await archive.confirm();
  faults.sort((left, right) => (left.blob < right.blob ? -1 : 1));
  const seconds = (performance.now() - started) / 1000;
  const more = bundle === undefined || signatures === undefined ? {} : { bundle, signatures };
  const images = archive.images.length;
  return { archive: path, images, blobs: claims.size, bytes, faults, unchecked, ...more, seconds };
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
