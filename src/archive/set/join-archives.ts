import type { Lock } from "../../bundle/lock/lock.ts";
import { checkVolumes, volumeNotes } from "../../bundle/set/check-volumes.ts";
import { NotFoundError, UsageError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { quote, shortId } from "../../util/format.ts";
import type { ArchiveSource, ImageArchive } from "../archive-source.ts";
import { type BundleFiles, joinedBundle, type OpenVolume } from "./joined-bundle.ts";
import { type Layers, layeredArchive } from "./layered-archive.ts";
import { replacedNames } from "./merged-images.ts";

export interface JoinOptions {
  /** Whether the images of the base of a delta are images of the whole, too. Default false: it only has bytes. */
  readonly withBaseImages?: boolean | undefined;
  /** Whether a patch may be alone: it has no images, and most commands need what it is for. Default false. */
  readonly takesPatch?: boolean | undefined;
  /** False leaves a delta and its bases apart. Default true. */
  readonly withDeltas?: boolean | undefined;
  readonly onNote?: ((message: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Puts files together that are one source: volumes of a set, a patch and what it is for, a delta and its bases. All others stay
 * apart. Order and names of files mean nothing.
 *
 * @returns in the order of the first file of each. The caller disposes either these or the files.
 * @throws NotFoundError for a patch without the bundle that it is for; UsageError for a streamed archive that would have to
 * be joined with others.
 */
export async function joinArchives(
  files: readonly ArchiveSource[],
  options: JoinOptions = {},
): Promise<readonly ImageArchive[]> {
  const { onNote = () => undefined, signal, withBaseImages = false, withDeltas = true, takesPatch } = options;
  const [only, ...more] = files;
  if (takesPatch === true && only?.part?.kind === "patch" && more.length === 0) return [only];
  const bundles = await bundlesOf(files, signal);
  const joined: ImageArchive[] = [];
  for (const bundle of bundles) {
    checkReadable([...bundle.archives, ...bundle.patches], bundle.volumes !== undefined);
    for (const note of bundle.volumes === undefined ? [] : volumeNotes(bundle.volumes)) onNote(note);
    joined.push(await joinedBundle(bundle, signal));
  }
  if (!withDeltas) return joined;
  return layersOf(joined).map(({ tops, bases }) => {
    checkReadable([...tops, ...bases].flatMap(({ members }) => members));
    const heads = tops.map(({ what }) => what).join(" and ");
    const replaced = withBaseImages ? replacedNames(tops, bases) : [];
    if (replaced.length > 0) onNote(`${namesText(replaced)} as in ${heads}: the older images of the base are left out`);
    if (!withBaseImages)
      for (const { what } of bases) onNote(`Of ${what} only layers are taken: the images are those of ${heads}`);
    return layeredArchive({ tops, bases, withBaseImages });
  });
}

/** Names in a note: a bundle may have thousands. */
const MAX_NAMED = 5;

function namesText(names: readonly string[]): string {
  const more = names.length - MAX_NAMED;
  const some = names.slice(0, MAX_NAMED).map(name => quote(name));
  return `${some.join(", ")}${more > 0 ? `, and ${more} more` : ""} ${names.length === 1 ? "is" : "are"}`;
}

/**
 * Several archives as one, also those that have nothing to do with each other.
 *
 * @throws ArchiveError "two-images" for a name that means two images.
 */
export function mergeArchives(archives: readonly ImageArchive[]): ImageArchive {
  if (archives.length > 1) checkReadable(archives.flatMap(({ members }) => members));
  return layeredArchive({ tops: archives, bases: [], withBaseImages: false });
}

/** Each bundle with its files, in the order of its first one. */
async function bundlesOf(
  files: readonly ArchiveSource[],
  signal: AbortSignal | undefined,
): Promise<readonly BundleFiles[]> {
  const volumes = files.flatMap(source => volumeOf(source) ?? []);
  const sets = new Map(checkVolumes(volumes).map(set => [set.bundle, set]));
  const bundles = new Map<ArchiveSource | Digest, BundleFiles & { readonly patches: ArchiveSource[] }>();
  const patches: ArchiveSource[] = [];
  for (const source of files) {
    const volume = volumeOf(source);
    if (source.part?.kind === "patch") patches.push(source);
    else if (volume === undefined) bundles.set(source, { archives: [source], volumes: undefined, patches: [] });
    else if (!bundles.has(volume.bundle)) {
      const archives = volumes.flatMap(one => (one.bundle === volume.bundle ? [one.source] : []));
      bundles.set(volume.bundle, { archives, volumes: sets.get(volume.bundle), patches: [] });
    }
  }
  for (const patch of patches) {
    const owner = await ownerOf(patch.bundle, [...bundles.values()], signal);
    if (owner === undefined) throw await withoutBundle(patch, [...bundles.values()], signal);
    owner.patches.push(patch);
  }
  return [...bundles.values()];
}

function volumeOf(source: ArchiveSource): OpenVolume | undefined {
  const { part, what } = source;
  if (part?.kind !== "locked" || part.lock.set === undefined) return undefined;
  return { what, bundle: part.lock.id, set: part.lock.set, source, lock: part.lock };
}

async function ownerOf<B extends BundleFiles>(
  bundle: Digest | undefined,
  bundles: readonly B[],
  signal: AbortSignal | undefined,
): Promise<B | undefined> {
  for (const one of bundles) if ((await idOf(one, signal)) === bundle) return one;
  return undefined;
}

async function idOf({ archives: [first] }: BundleFiles, signal: AbortSignal | undefined): Promise<Digest | undefined> {
  const lock: Lock | undefined = await first?.lock(signal);
  return lock?.id;
}

async function withoutBundle(
  { what, bundle = "sha256:" }: ArchiveSource,
  bundles: readonly BundleFiles[],
  signal: AbortSignal | undefined,
): Promise<NotFoundError> {
  const ids: string[] = [];
  for (const one of bundles) {
    const id = await idOf(one, signal);
    ids.push(id === undefined ? `${one.archives[0]?.what} without a lock` : `bundle ${shortId(id)}`);
  }
  return new NotFoundError(
    `Cannot use ${what}: it is a patch for bundle ${shortId(bundle)}, found ${ids.join(", ") || "no other file"}, expected that bundle`,
    { hint: "Name the archive or the volumes that the need list was made of, too." },
  );
}

/** Deltas with what they assume. Bundles that do not depend on each other are apart. */
function layersOf(bundles: readonly ImageArchive[]): readonly Pick<Layers, "tops" | "bases">[] {
  const basesOf = new Map<ImageArchive, readonly ImageArchive[]>();
  for (const bundle of bundles) {
    const assumed = bundle.absent.filter(({ why }) => why === "assumed");
    basesOf.set(
      bundle,
      bundles.filter(other => other !== bundle && assumed.some(({ digest }) => isOwner(other, digest))),
    );
  }
  let groups: readonly (readonly ImageArchive[])[] = [];
  for (const bundle of bundles) {
    const isLinked = (other: ImageArchive): boolean =>
      basesOf.get(bundle)?.includes(other) === true || basesOf.get(other)?.includes(bundle) === true;
    const linked = groups.filter(group => group.some(isLinked));
    groups = [...groups.filter(group => !linked.includes(group)), [...linked.flat(), bundle]];
  }
  const firstOf = (group: readonly ImageArchive[]): number => bundles.findIndex(bundle => group.includes(bundle));
  return groups.toSorted((left, right) => firstOf(left) - firstOf(right)).map(group => layered(group, basesOf));
}

/** Whether it has the blob, or has it in a volume that is missing. */
function isOwner(archive: ImageArchive, digest: Digest): boolean {
  return archive.hasBlob(digest) || archive.absent.some(blob => blob.digest === digest && blob.why === "volume");
}

function layered(
  group: readonly ImageArchive[],
  basesOf: ReadonlyMap<ImageArchive, readonly ImageArchive[]>,
): Pick<Layers, "tops" | "bases"> {
  const isBase = (one: ImageArchive): boolean => group.some(other => basesOf.get(other)?.includes(one) === true);
  const tops = group.filter(one => !isBase(one));
  // Deltas that assume each other's layers are on one level.
  if (tops.length === 0) return { tops: group, bases: [] };
  // Each after all that are made against it.
  const bases: ImageArchive[] = [];
  const waiting = [...tops];
  for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
    for (const base of basesOf.get(one) ?? []) {
      if (tops.includes(base) || bases.includes(base)) continue;
      bases.push(base);
      waiting.push(base);
    }
  }
  return { tops, bases };
}

/** @throws UsageError */
function checkReadable(members: readonly ArchiveSource[], isVolume = false): void {
  const streamed = members.find(member => member.streamed !== undefined || member.archive.streamed !== undefined);
  if (streamed === undefined || (members.length === 1 && !isVolume)) return;
  throw new UsageError(
    `Cannot join ${streamed.what} with other files: it is read from front to back, expected a plain tar or a folder`,
    { hint: "Decompress it, or save what comes from the pipe, and name that file." },
  );
}
