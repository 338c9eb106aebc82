import { bytesBlob } from "../content/blob.ts";
import type { ImageSource, Root } from "../content/contracts.ts";
import { readBlob } from "../content/pump.ts";
import { ArchiveError, isMissingBlob } from "../errors.ts";
import { ANNOTATION_REFERENCE_DIGEST } from "../oci/annotations.ts";
import { describeBytes } from "../oci/describe.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { MAX_INDEX_DEPTH, MAX_MANIFEST_BYTES } from "../oci/limits.ts";
import { type IndexView, type ManifestView, parseManifest } from "../oci/manifest.ts";
import { isForeignLayerType, isIndexType, isManifestType } from "../oci/media-types.ts";
import { formatPlatform } from "../oci/platform.ts";

/**
 * An index may name platforms that the archive does not hold: Docker's containerd store saves what it has pulled and the
 * whole index. Registries refuse such an index, so the absent entries are left out of it; its digest changes, which the
 * copy reports.
 *
 * @param onNote hears what was left out.
 */
export function pruneSparse(source: ImageSource, onNote: (message: string) => void): ImageSource {
  const rewritten = new Map<Digest, Uint8Array>();
  return {
    async *roots(signal) {
      for await (const root of source.roots(signal)) yield await pruneRoot(source, root, rewritten, onNote, signal);
    },
    async blob(descriptor, signal) {
      const bytes = rewritten.get(descriptor.digest);
      return bytes === undefined ? await source.blob(descriptor, signal) : bytesBlob(bytes);
    },
    stream: source.stream,
    [Symbol.asyncDispose]: async () => await source[Symbol.asyncDispose](),
  };
}

async function pruneRoot(
  source: ImageSource,
  root: Root,
  rewritten: Map<Digest, Uint8Array>,
  onNote: (message: string) => void,
  signal: AbortSignal | undefined,
): Promise<Root> {
  if (root.kind === "draft" || !isIndexType(root.descriptor.mediaType)) return root;
  const absent: string[] = [];
  const kept = await pruneIndex(source, root.descriptor, rewritten, absent, 1, signal);
  const name = root.names[0] ?? root.descriptor.digest;
  if (kept === undefined) {
    throw new ArchiveError(
      "no-image",
      `Cannot push ${name}: the archive holds none of ${absent.join(", ")}, expected at least one`,
      {
        hint: "Pull the image for the platform you need, and save it again.",
      },
    );
  }
  if (absent.length > 0) onNote(`${name}: not in the archive, and left out of its index: ${absent.join(", ")}`);
  return { ...root, descriptor: kept };
}

/** The index with what is there; the same descriptor if nothing is absent, undefined if everything is. */
async function pruneIndex(
  source: ImageSource,
  descriptor: Descriptor,
  rewritten: Map<Digest, Uint8Array>,
  absent: string[],
  depth: number,
  signal: AbortSignal | undefined,
): Promise<Descriptor | undefined> {
  const read = depth > MAX_INDEX_DEPTH ? undefined : await readManifest(source, descriptor, signal);
  if (read?.view.kind !== "index") return undefined;
  const kept = new Map<Digest, Descriptor>();
  for (const child of read.view.manifests) {
    const found = isIndexType(child.mediaType)
      ? await pruneIndex(source, child, rewritten, absent, depth + 1, signal)
      : await wholeChild(source, child, signal);
    if (found !== undefined) kept.set(child.digest, found);
    else if (aboutDigest(child) === undefined) absent.push(labelOf(child));
  }
  dropOrphanedAttestations(read.view, kept);
  if (![...kept.keys()].some(digest => read.view.kind === "index" && !isAttestation(read.view, digest)))
    return undefined;
  const isWhole = read.view.manifests.every(({ digest }) => kept.get(digest)?.digest === digest);
  if (isWhole) return descriptor;
  const bytes = rewriteIndex(read.bytes, kept);
  const { digest, size } = describeBytes(descriptor.mediaType, bytes);
  rewritten.set(digest, bytes);
  return { ...descriptor, digest, size };
}

/** The child, if its manifest and all that it names are there. */
async function wholeChild(
  source: ImageSource,
  child: Descriptor,
  signal: AbortSignal | undefined,
): Promise<Descriptor | undefined> {
  if (!isManifestType(child.mediaType)) return (await isThere(source, child, signal)) ? child : undefined;
  const read = await readManifest(source, child, signal);
  if (read?.view.kind !== "image") return undefined;
  for (const blob of [read.view.config, ...read.view.layers]) {
    if (!isForeignLayerType(blob.mediaType) && !(await isThere(source, blob, signal))) return undefined;
  }
  return child;
}

async function readManifest(
  source: ImageSource,
  descriptor: Descriptor,
  signal: AbortSignal | undefined,
): Promise<{ readonly bytes: Uint8Array; readonly view: ManifestView } | undefined> {
  if (!(await isThere(source, descriptor, signal))) return undefined;
  const bytes = await readBlob(await source.blob(descriptor, signal), MAX_MANIFEST_BYTES, signal);
  return { bytes, view: parseManifest(bytes, { announced: descriptor.mediaType, where: descriptor.digest }) };
}

async function isThere(source: ImageSource, blob: Descriptor, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await source.blob(blob, signal);
    return true;
  } catch (error) {
    if (isMissingBlob(error)) return false;
    throw error;
  }
}

/** An attestation goes with the manifest that it is about. */
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

function labelOf({ platform, digest }: Descriptor): string {
  return platform === undefined ? digest : formatPlatform(platform);
}

/** Every field stays as it was but the list, whose entries stay as they were but for digests of rewritten indexes. */
function rewriteIndex(bytes: Uint8Array, kept: ReadonlyMap<string, Descriptor>): Uint8Array {
  const index = JSON.parse(Buffer.from(bytes).toString("utf8")) as { manifests: { digest: string }[] };
  const manifests = index.manifests.flatMap(entry => {
    const now = kept.get(entry.digest);
    return now === undefined ? [] : [{ ...entry, digest: now.digest, size: now.size }];
  });
  return new TextEncoder().encode(JSON.stringify({ ...index, manifests }));
}
