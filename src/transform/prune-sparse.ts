import type { ImageSource, Root } from "../content/contracts.ts";
import { blobsOf, derivedSource } from "../content/derived-source.ts";
import { readManifestBytes } from "../content/read-manifest-bytes.ts";
import { ArchiveError, isMissingBlob, NotFoundError } from "../errors.ts";
import { ANNOTATION_REFERENCE_DIGEST } from "../oci/annotations.ts";
import { type Descriptor, describeBytes, platformLabel } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { MAX_INDEX_DEPTH } from "../oci/limits.ts";
import { type IndexView, type ManifestView, manifestChildren, parseManifest } from "../oci/manifest.ts";
import { isForeignLayerType, isIndexType, isManifestType } from "../oci/media-types.ts";

/**
 * Drops entries of an index that the archive does not contain: Docker's containerd store saves the platforms that it has
 * pulled, and the whole index. Registries refuse such an index. Its digest changes, which the copy reports.
 *
 * @param onNote is called with what was dropped.
 * @param because is said of it; default "not in the archive".
 */
export function pruneSparse(
  source: ImageSource,
  onNote: (message: string) => void,
  because = "not in the archive",
): ImageSource {
  const pruning: Pruning = { source, because, rewritten: new Map(), kept: new Map() };
  return derivedSource(source, {
    async *roots(signal) {
      for await (const root of source.roots(signal)) yield await pruneRoot(pruning, root, onNote, signal);
    },
    blob: blobsOf(source, digest => pruning.rewritten.get(digest)),
  });
}

interface Pruning {
  readonly source: ImageSource;
  readonly because: string;
  readonly rewritten: Map<Digest, Uint8Array>;
  /** By the digest of an index, which is pruned once (security case M-07). */
  readonly kept: Map<Digest, Kept>;
}

interface Kept {
  /** Undefined if nothing of it is present. */
  readonly descriptor: Descriptor | undefined;
  /** Each platform once, or else digest. */
  readonly absent: readonly string[];
}

async function pruneRoot(
  pruning: Pruning,
  root: Root,
  onNote: (message: string) => void,
  signal: AbortSignal | undefined,
): Promise<Root> {
  if (root.kind === "draft" || !isIndexType(root.descriptor.mediaType)) return root;
  const kept = await pruneIndex(pruning, root.descriptor, 1, signal);
  const absent = kept.absent.join(", ");
  const name = root.names[0] ?? root.descriptor.digest;
  if (kept.descriptor === undefined) {
    throw new ArchiveError(
      "no-image",
      `Cannot read image ${name}: the archive contains none of ${absent || "its images"}, expected at least one`,
      { hint: "Pull the image for the platform you need, and save it again." },
    );
  }
  if (absent !== "") onNote(`${name}: ${pruning.because}, and left out of its index: ${absent}`);
  return { ...root, descriptor: kept.descriptor };
}

/** The index without absent entries; the same descriptor if nothing is absent. @throws ArchiveError "graph-too-large" */
async function pruneIndex(
  pruning: Pruning,
  descriptor: Descriptor,
  depth: number,
  signal: AbortSignal | undefined,
): Promise<Kept> {
  const known = pruning.kept.get(descriptor.digest);
  if (known !== undefined) return known;
  if (depth > MAX_INDEX_DEPTH) throw tooDeep(descriptor);
  const result = await pruneRead(pruning, descriptor, depth, signal);
  pruning.kept.set(descriptor.digest, result);
  return result;
}

async function pruneRead(
  pruning: Pruning,
  descriptor: Descriptor,
  depth: number,
  signal: AbortSignal | undefined,
): Promise<Kept> {
  const { source, rewritten } = pruning;
  const read = await readManifest(source, descriptor, signal);
  if (read?.view.kind !== "index") return { descriptor: undefined, absent: [platformLabel(descriptor)] };
  const { view } = read;
  const absent = new Set<string>();
  const kept = new Map<Digest, Descriptor>();
  for (const child of view.manifests) {
    const found = isIndexType(child.mediaType)
      ? await pruneIndex(pruning, child, depth + 1, signal)
      : { descriptor: await wholeChild(source, child, signal), absent: [platformLabel(child)] };
    if (found.descriptor !== undefined) kept.set(child.digest, { ...child, ...sizeOf(found.descriptor) });
    const isMissed = isIndexType(child.mediaType) || found.descriptor === undefined;
    if (isMissed && aboutDigest(child) === undefined) for (const label of found.absent) absent.add(label);
  }
  dropOrphanedAttestations(view, kept);
  if (![...kept.keys()].some(digest => !isAttestation(view, digest)))
    return { descriptor: undefined, absent: [...absent] };
  const isWhole = view.manifests.every(({ digest }) => kept.get(digest)?.digest === digest);
  if (isWhole) return { descriptor, absent: [...absent] };
  const bytes = rewriteIndex(read.bytes, kept);
  const pruned = describeBytes(descriptor.mediaType, bytes);
  rewritten.set(pruned.digest, bytes);
  return { descriptor: { ...descriptor, ...sizeOf(pruned) }, absent: [...absent] };
}

function sizeOf({ digest, size }: Descriptor): Pick<Descriptor, "digest" | "size"> {
  return { digest, size };
}

function tooDeep({ digest }: Descriptor): ArchiveError {
  return new ArchiveError(
    "graph-too-large",
    `Cannot read index ${digest}: indexes nested more than ${MAX_INDEX_DEPTH} deep, expected at most that many levels`,
  );
}

/** The child, if its manifest and blobs are present. */
async function wholeChild(
  source: ImageSource,
  child: Descriptor,
  signal: AbortSignal | undefined,
): Promise<Descriptor | undefined> {
  if (!isManifestType(child.mediaType)) return (await isPresent(source, child, signal)) ? child : undefined;
  const read = await readManifest(source, child, signal);
  if (read === undefined || read.view.kind === "index") return undefined;
  for (const blob of manifestChildren(read.view)) {
    if (!isForeignLayerType(blob.mediaType) && !(await isPresent(source, blob, signal))) return undefined;
  }
  return { ...child, size: read.bytes.length };
}

async function readManifest(
  source: ImageSource,
  descriptor: Descriptor,
  signal: AbortSignal | undefined,
): Promise<{ readonly bytes: Uint8Array; readonly view: ManifestView } | undefined> {
  if (!(await isPresent(source, descriptor, signal))) return undefined;
  const bytes = await readManifestBytes(source, descriptor, `manifest ${descriptor.digest}`, signal);
  return { bytes, view: parseManifest(bytes, { announced: descriptor.mediaType, where: descriptor.digest }) };
}

async function isPresent(source: ImageSource, blob: Descriptor, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await source.blob(blob, signal);
    return true;
  } catch (error) {
    if (isMissingBlob(error)) return false;
    // It belongs to the archive: a base or a volume that was not given has it.
    if (error instanceof NotFoundError) return true;
    throw error;
  }
}

/** An attestation without its manifest is dropped, too. */
function dropOrphanedAttestations(view: IndexView, kept: Map<Digest, Descriptor>): void {
  const digests = new Set<string>(kept.keys());
  for (const child of view.manifests) {
    const about = aboutDigest(child);
    if (about !== undefined && !digests.has(about)) kept.delete(child.digest);
  }
}

function isAttestation(view: IndexView, digest: Digest): boolean {
  return view.manifests.some(child => child.digest === digest && aboutDigest(child) !== undefined);
}

function aboutDigest({ annotations }: Descriptor): string | undefined {
  return annotations?.[ANNOTATION_REFERENCE_DIGEST];
}

/** Changes the list alone, and in its entries only digests and sizes of rewritten indexes. */
function rewriteIndex(bytes: Uint8Array, kept: ReadonlyMap<string, Descriptor>): Uint8Array {
  const index = JSON.parse(Buffer.from(bytes).toString("utf8")) as { manifests: { digest: string }[] };
  const manifests = index.manifests.flatMap(entry => {
    const now = kept.get(entry.digest);
    return now === undefined ? [] : [{ ...entry, digest: now.digest, size: now.size }];
  });
  return new TextEncoder().encode(JSON.stringify({ ...index, manifests }));
}
