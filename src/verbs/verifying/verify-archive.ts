import { KnownLocks } from "../../archive/lock/known-locks.ts";
import type { ScanOptions, StreamedArchive } from "../../archive/open/streamed-archive.ts";
import { type ArchiveSource, openArchive } from "../../archive/open-archive.ts";
import { noteTo, type OnProgress, readingTo, stepTo, underWay } from "../../content/progress.ts";
import { ArchiveError, isMissingBlob } from "../../errors.ts";
import { type Digest, digestAlgorithm } from "../../oci/digest.ts";
import { layerCompression } from "../../oci/media-types.ts";
import { hashLayer } from "../../transform/hash-layer.ts";
import { blameChangedInput } from "../../util/input-guard.ts";
import { runBounded } from "../../util/task-group.ts";
import { ENGINE_INPUT } from "../engines/engine-input.ts";
import { listOf } from "../options/option-values.ts";
import { checkSignatures, UNCHECKED_SIGNATURES } from "../referrers/check-signatures.ts";
import { type BodyHashes, hashWhileScanning } from "../shared/hash-while-scanning.ts";
import { bundleSignature, parsePublicKeys } from "../signed/bundle-signature.ts";
import type { ArchiveFault } from "./archive-fault.ts";
import type { BlobShard, ChooseBlobs } from "./blob-shard.ts";
import { type Claim, collectClaims } from "./collect-claims.ts";
import type { VerifyOptions, VerifyResult } from "./verify-options.ts";

const CONCURRENCY = 4;
const SMALL_BYTES = 64 * 1024;

/**
 * Checks an archive of any dialect by what its metadata claims: manifests, configs and layers against their digests, and the
 * content of compressed layers against the diff_ids in the configs. It continues after a fault.
 *
 * @param path file, folder, or "-" for stdin.
 * @param chosen which blobs are hashed, or how these are chosen. Default: all are.
 * @throws ArchiveError if the file is no readable archive, or if its two views contradict each other; StorageError.
 */
export async function verifyArchive(
  path: string,
  options: VerifyOptions,
  chosen?: ChooseBlobs | BlobShard,
): Promise<VerifyResult> {
  const keys = options.key === undefined ? undefined : parsePublicKeys(listOf(options.key), "key");
  const started = performance.now();
  const { signal, onProgress = () => undefined } = options;
  const onNote = noteTo(onProgress);
  const onRead = readingTo(onProgress, path);
  const damaged = new Map<Digest, string>();
  const onDamage = (blob: Digest, { message }: Error): void => void damaged.set(blob, message);
  const hashes: BodyHashes = new Map();
  const scan = async (scan: ScanOptions): Promise<StreamedArchive> => await hashWhileScanning(scan, hashes, onProgress);
  await using archive = await openArchive(path, {
    onNote,
    onRead,
    onDamage,
    signal,
    scan,
    stdin: options.stdin,
    ...ENGINE_INPUT,
  });
  const faults: ArchiveFault[] = [];
  const unchecked: string[] = [];
  const onImage = stepTo(onProgress, "images", archive.images.length);
  const all = [...(await collectClaims(archive, faults, unchecked, onNote, signal, true, onImage)).values()];
  const shard = typeof chosen === "function" ? chosen(all.map(({ descriptor }) => descriptor)) : chosen;
  const claims = all.filter(({ descriptor }) => shard?.has(descriptor.digest) ?? true);
  const bytes = claims.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
  onProgress({ kind: "planned", blobs: claims.length, bytes });
  const ordered = inReadingOrder(claims, archive);
  const check = async (claim: Claim, stop: AbortSignal): Promise<void> => {
    const { digest, size } = claim.descriptor;
    const checking = async () => await checkClaim(archive, claim, hashes, unchecked, onProgress, stop);
    for (const fault of await underWay(onProgress, { blob: digest, bytes: size }, checking)) faults.push(fault);
    onProgress({ kind: "done", blob: digest, bytes: size });
  };
  await blameChangedInput(archive.confirm, async () => await runBounded(ordered, CONCURRENCY, check, signal));
  for (const [blob, message] of damaged) {
    if (faults.some(fault => fault.blob === blob)) continue;
    faults.push({ kind: "digest", blob, found: "another digest", expected: blob, message });
  }
  const bundle =
    keys === undefined ? undefined : await bundleSignature(archive, { keys, locks: new KnownLocks() }, signal);
  const signatures = keys === undefined ? undefined : await checkSignatures(archive, keys, onNote, signal);
  if (signatures !== undefined) unchecked.push(UNCHECKED_SIGNATURES);
  // If the archive changed meanwhile, the result is void.
  await archive.confirm();
  faults.sort((left, right) => ((left.blob ?? "") < (right.blob ?? "") ? -1 : 1));
  const seconds = (performance.now() - started) / 1000;
  const more = bundle === undefined || signatures === undefined ? {} : { bundle, signatures };
  const part = shard === undefined ? {} : { shard: shard.summary };
  const images = archive.images.length;
  return { archive: path, images, blobs: claims.length, bytes, faults, unchecked, ...more, ...part, seconds };
}

/** The largest first, so that none of them is alone at the end; then all small ones as they come in the file. */
function inReadingOrder(claims: readonly Claim[], archive: ArchiveSource): readonly Claim[] {
  const isSmall = ({ descriptor }: Claim): boolean => descriptor.size <= SMALL_BYTES;
  const offsetOf = ({ descriptor }: Claim): number => archive.entryOf(descriptor.digest)?.bodyOffset ?? 0;
  const large = claims.filter(claim => !isSmall(claim));
  return [
    ...large.sort((left, right) => right.descriptor.size - left.descriptor.size),
    ...claims.filter(isSmall).sort((left, right) => offsetOf(left) - offsetOf(right)),
  ];
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
