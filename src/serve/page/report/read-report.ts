import { basename } from "node:path";
import type { Base, Bundle, BundleImage } from "../../../bundle/base/bundle.ts";
import { type ComparedBundles, type ComparedImage, compareBundles } from "../../../bundle/base/compare-bundles.ts";
import type { LockedImage } from "../../../bundle/lock/lock.ts";
import { wholeBlobs } from "../../../bundle/lock/whole-blobs.ts";
import type { Digest } from "../../../oci/digest.ts";
import { runBounded } from "../../../util/task-group.ts";
import type { ServedRegistry } from "../../content/served-registry.ts";
import type { Catalogue, ListedImage } from "../model/catalogue.ts";
import { ImageReader } from "./image-reader.ts";
import { lackingBytes, leftOut, type ReadImage } from "./left-out.ts";
import { reportedImage, type SignatureCounts, unknownReferrers } from "./reported-image.ts";
import type {
  LeftOut,
  TransferBase,
  TransferCounts,
  TransferFile,
  TransferImage,
  TransferReport,
  TransferSignature,
} from "./transfer-report.ts";

/** Images at once. */
const MAX_READS = 16;

/** A file that was hashed. */
export interface FileSum {
  /** Without its folder. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** 64 hex digits. */
  readonly sha256: string;
}

export interface ReportFacts {
  /** What the bundle is compared with. Default: nothing. */
  readonly bases?: (bundle: Bundle) => Promise<readonly Base[]>;
  readonly sums?: readonly FileSum[];
  /** RFC 3339. */
  readonly date?: string | undefined;
  readonly signature?: TransferSignature | undefined;
  /** What was found to be damaged before. Default: only what the registry noted. */
  readonly damage?: readonly LeftOut[];
  /** What keys say, by the digest of the image. */
  readonly checked?: ReadonlyMap<Digest, SignatureCounts>;
}

/**
 * Puts together what the transfer desk has to know. Manifests and configs are read, layers are not.
 *
 * @throws the reason of `signal`; what is damaged or missing is part of the report.
 */
export async function readReport(
  registry: ServedRegistry,
  catalogue: Catalogue,
  facts: ReportFacts,
  signal: AbortSignal,
): Promise<TransferReport> {
  const reader = new ImageReader(registry, signal);
  const { bundle, lock } = catalogue;
  const read = await readImages([...catalogue.images, ...catalogue.unnamed], reader, signal);
  const hidden = hiddenImages(catalogue);
  const contents = bundleOf(catalogue, read, hidden, reader);
  const bases = await facts.bases?.(contents);
  const compared = bases && compareBundles(knownTo(bases, contents, read), bases);
  const rows = new Map(compared?.images.map(row => [keyOf(row), row] as const));
  const rowOf = ({ image: { name, digest }, contents: { config } }: ReadImage): ComparedImage | undefined =>
    rows.get(keyOf({ name, digest })) ?? (config && rows.get(keyOf({ name, digest: config })));
  const images = [
    ...read.map(each => reportedImage(each, reader.blobs, rowOf(each), facts.checked)),
    ...hidden.map(image => hiddenImage(image, rows)),
    ...(compared?.images ?? []).filter(({ state }) => state === "gone").map(goneImage),
  ].sort(byName);
  const id = bundle?.id ?? lock?.id;
  const all = sizeOf(contents.blobs.values());
  return {
    kind: "transfer-report",
    ...(facts.date === undefined ? {} : { date: facts.date }),
    ...(id === undefined ? {} : { id }),
    ...(facts.signature === undefined ? {} : { signature: signatureOf(facts.signature) }),
    bases: bases?.map(baseOf) ?? (lock?.bases ?? []).map(id => ({ id })),
    compared: compared !== undefined,
    counts: countsOf(images, compared !== undefined),
    bytes: {
      carried: all - lackingBytes(bundle?.absent ?? []),
      all,
      ...(compared === undefined ? {} : { new: compared.bytes.new, shared: all - compared.bytes.new }),
    },
    files: filesOf(bundle, facts.sums ?? []),
    ...(bundle?.volumes === undefined ? {} : { volumes: { of: bundle.volumes.of, missing: bundle.volumes.missing } }),
    left: [...(facts.damage ?? []), ...leftOut(read, catalogue)],
    images,
  };
}

async function readImages(
  images: readonly ListedImage[],
  reader: ImageReader,
  signal: AbortSignal,
): Promise<readonly ReadImage[]> {
  const found: ReadImage[] = [];
  await runBounded(
    images.entries(),
    MAX_READS,
    async ([index, image]) => {
      found[index] = { image, contents: await reader.contents(image) };
    },
    signal,
  );
  return found;
}

/** Volumes by number, other files as they were given. Files of one name and size are told apart by their order. */
function filesOf(bundle: Catalogue["bundle"], sums: readonly FileSum[]): readonly TransferFile[] {
  const left = [...sums];
  return (bundle?.files ?? [])
    .map(({ name, size, volume }) => {
      const file = basename(name);
      const index = left.findIndex(sum => sum.name === file && sum.size === size);
      const [sum] = index === -1 ? [] : left.splice(index, 1);
      return {
        name: file,
        ...(volume === undefined ? {} : { volume }),
        size,
        ...(sum === undefined ? {} : { sha256: sum.sha256 }),
      };
    })
    .sort((left, right) => (left.volume ?? 0) - (right.volume ?? 0));
}

/** Images that the lock names and of which not even the manifest is here: it is in a missing volume. */
function hiddenImages({ lock, images, unnamed }: Catalogue): readonly LockedImage[] {
  const known = new Set([...images, ...unnamed].flatMap(({ name, digest }) => [name, digest]));
  return (lock?.images ?? []).filter(
    ({ name, digest, written = digest }) => !known.has(written) && !(name !== "" && known.has(name)),
  );
}

function bundleOf(
  { lock }: Catalogue,
  read: readonly ReadImage[],
  hidden: readonly LockedImage[],
  reader: ImageReader,
): Bundle {
  const blobs = new Map(reader.blobs);
  for (const { digest, size, kind, repositories } of lock === undefined ? [] : wholeBlobs(lock))
    blobs.set(digest, { size, kind, repositories });
  const images: BundleImage[] = [
    ...read.map(({ image: { name, digest }, contents: { parts } }) => ({ name, digest, parts })),
    ...hidden.map(image => ({ name: image.name, digest: image.written ?? image.digest, parts: [image.manifests] })),
  ];
  return { where: "", kind: "archive", images, blobs, hasRawLayers: lock?.layers === "raw" };
}

/**
 * A base that is an archive without manifests knows its images by their configs: an image with that very config is the same,
 * and its manifest is nothing that has to be carried.
 */
function knownTo(bases: readonly Base[], bundle: Bundle, read: readonly ReadImage[]): Bundle {
  const known = new Set(bases.flatMap(({ images }) => images.map(({ digest }) => digest)));
  const renamed = read.flatMap(({ image: { digest }, contents: { config } }) =>
    config !== undefined && known.has(config) && !known.has(digest) ? [[digest, config] as const] : [],
  );
  if (renamed.length === 0) return bundle;
  const configs = new Map(renamed);
  const blobs = new Map([...bundle.blobs].filter(([digest]) => !configs.has(digest)));
  const images = bundle.images.map(image => ({ ...image, digest: configs.get(image.digest) ?? image.digest }));
  return { ...bundle, blobs, images };
}

function hiddenImage(image: LockedImage, rows: ReadonlyMap<string, ComparedImage>): TransferImage {
  const { name, digest, written = digest, absent } = image;
  const row = rows.get(keyOf({ name, digest: written }));
  return {
    name,
    digest: written,
    ...(row === undefined ? {} : { state: row.state }),
    platforms: [],
    absent,
    referrers: unknownReferrers(),
  };
}

function goneImage({ name, state, was }: ComparedBundles["images"][number]): TransferImage {
  const digests = [...new Set(was.map(({ digest }) => digest))];
  return { name, state, was: digests, platforms: [], absent: [], referrers: unknownReferrers() };
}

/** Without what else is known of it. */
function signatureOf({ state, key }: TransferSignature): TransferSignature {
  return { state, ...(key === undefined ? {} : { key }) };
}

/** Paths of files are no part of what they contain. */
function baseOf({ id, where, kind }: Base): TransferBase {
  return { ...(id === undefined ? {} : { id }), source: kind === "registry" ? where : basename(where) };
}

function countsOf(images: readonly TransferImage[], isCompared: boolean): TransferCounts {
  const count = (wanted: TransferImage["state"]): number => images.filter(({ state }) => state === wanted).length;
  const gone = count("gone");
  const here = { images: images.length - gone };
  return isCompared
    ? { ...here, new: count("new"), changed: count("changed"), unchanged: count("unchanged"), gone }
    : here;
}

function keyOf({ name, digest }: { readonly name: string; readonly digest?: Digest }): string {
  return `${name} ${digest ?? ""}`;
}

function byName(left: TransferImage, right: TransferImage): number {
  const [one, other] = [keyOf(left), keyOf(right)];
  return one < other ? -1 : Number(one > other);
}

function sizeOf(blobs: Iterable<{ readonly size: number }>): number {
  let bytes = 0;
  for (const { size } of blobs) bytes += size;
  return bytes;
}
