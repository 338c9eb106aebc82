import type { ImageArchive } from "../../archive/archive-source.ts";
import { KnownLocks } from "../../archive/lock/known-locks.ts";
import { joinArchives } from "../../archive/set/join-archives.ts";
import type { ShardSummary } from "../../bundle/shards/shard-summary.ts";
import type { Root } from "../../content/contracts.ts";
import { noteTo } from "../../content/progress.ts";
import { UsageError } from "../../errors.ts";
import { isEngineName } from "../../oci/names/engine-name.ts";
import { sharedTagNotes } from "../../oci/names/name-notes.ts";
import { appendTo } from "../../util/append.ts";
import { idOf, noteBadNames } from "../shared/choose-image.ts";
import {
  chosenDestinations,
  chosenRoots,
  type Destination,
  type Destinations,
  rootOwners,
} from "../shared/destinations.ts";
import { imagesOf } from "./destination-names.ts";
import { type Failed, failing, namingFailed } from "./failed-archive.ts";
import { type OpenFile, openFile } from "./open-file.ts";
import type { OpenedArchive, PushRun } from "./push-to-repository.ts";
import { refuseAbsent } from "./refuse-absent.ts";
import { refuseCollisions } from "./refuse-collisions.ts";
import { shardOfArchives } from "./shard-of-archives.ts";

/** Files that are one source, and where its images go. */
export interface PlannedArchive extends AsyncDisposable {
  /** As the user typed them. */
  readonly paths: readonly string[];
  readonly opened: OpenedArchive;
  readonly targets: readonly Destination[];
  readonly nameless: Destinations["nameless"];
}

/** The archives of a push. Disposing it closes those that were not taken. */
export interface PlannedArchives extends AsyncDisposable {
  /** What the shard of the call has, if it has one. */
  readonly shard: ShardSummary | undefined;
  readonly archives: readonly {
    /** Several for volumes, and for a delta with its base. */
    readonly paths: readonly string[];
    /** Images that are pushed, each under each of its names. */
    readonly images: number;
    /** The caller closes it. @throws what was wrong with it. */
    take(): PlannedArchive;
  }[];
}

/**
 * Opens all archives of a push, puts those together that are one source, and decides where their images go, before anything
 * is sent; a streamed one is read, and with `tag` its layers are sent. One that cannot be opened does not stop the others.
 *
 * @throws UsageError for two images that would get one name; NotFoundError for blobs that an archive lacks, and that are not at
 * the target either; as `joinArchives`.
 */
export async function planArchives(paths: readonly string[], run: PushRun): Promise<PlannedArchives> {
  // The layers of an image of an engine are sent while it is read.
  if (paths.some(isEngineName))
    checkOneTagged(
      paths.map(path => ({ paths: [path] })),
      run,
    );
  const open = new Set<AsyncDisposable>();
  const close = async (): Promise<void> => {
    for (const one of open) await one[Symbol.asyncDispose]();
  };
  try {
    const read = await readArchives(paths, run, open);
    checkOneTagged(read, run);
    // Not one is sent if another is not signed.
    for (const one of read) if (!("error" in one)) await run.requireSigned?.(one.opened.archive);
    const owners = rootOwners(read.flatMap(one => ("error" in one ? [] : one.roots)));
    noteSharedTags(read, run);
    const planned: (Planned | Failed)[] = [];
    for (const one of read) {
      planned.push(
        "error" in one ? one : await failing(one.paths, run, read.length, async () => planArchive(one, run, owners)),
      );
    }
    await refuseCollisions(
      planned.flatMap(one => ("error" in one ? [] : [{ source: one.archive.opened.source, used: one.used }])),
      run,
    );
    const failed = planned.find(one => "error" in one);
    // Other machines may be able to read it, and would divide the images in another way.
    if (run.options.shard !== undefined && failed !== undefined) throw failed.error;
    const shard = await shardOfArchives(
      planned.flatMap(one => ("error" in one ? [] : [{ source: one.archive.opened.source, targets: one.found }])),
      run,
    );
    const ownOf = (one: Planned): Pick<PlannedArchive, "targets" | "nameless"> => ({
      targets: shard === undefined ? one.found : shard.own(one.found),
      nameless: shard === undefined || shard.isFirst ? one.nameless : [],
    });
    const members = read.flatMap(one => ("error" in one ? [] : one.opened.archive.members));
    await namingFailed(planned, run, async () => {
      for (const one of planned)
        if (!("error" in one)) await refuseAbsent(one.archive.opened.archive, ownOf(one).targets, members, run);
    });
    return {
      shard: shard?.summary,
      archives: planned.map(one => ({
        paths: "error" in one ? one.paths : one.archive.paths,
        images: "error" in one ? 0 : ownOf(one).targets.reduce((sum, target) => sum + imagesOf(target), 0),
        take: () => {
          if ("error" in one) throw one.error;
          open.delete(one.archive);
          return { ...one.archive, ...ownOf(one) };
        },
      })),
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

interface ReadArchive extends Pick<PlannedArchive, "paths" | "opened">, AsyncDisposable {
  readonly roots: readonly Root[];
}

interface Planned extends Destinations {
  readonly archive: ReadArchive;
}

/** @param open gets what the caller has to close. */
async function readArchives(
  paths: readonly string[],
  run: PushRun,
  open: Set<AsyncDisposable>,
): Promise<readonly (ReadArchive | Failed)[]> {
  const files: (OpenFile | Failed)[] = [];
  const locks = new KnownLocks();
  for (const path of paths) {
    const opening = async (): Promise<OpenFile> => await openFile(path, { isAlone: paths.length === 1, locks }, run);
    const file = await failing([path], run, paths.length, opening);
    files.push(file);
    if (!("error" in file)) open.add(file);
  }
  const whole = files.flatMap(file => ("error" in file ? [] : [file]));
  const { signal, onProgress } = run.options;
  const joined = await joinArchives(
    whole.map(({ archive }) => archive),
    { withBaseImages: true, onNote: noteTo(onProgress), signal },
  );
  const sources = new Map(joined.flatMap(archive => archive.members.map(member => [member, archive] as const)));
  const filesOf = new Map<ImageArchive | undefined, OpenFile[]>();
  for (const file of whole) appendTo(filesOf, sources.get(file.archive), file);
  const found: (ReadArchive | Failed)[] = [];
  for (const file of files) {
    if ("error" in file) found.push(file);
    const archive = "error" in file ? undefined : sources.get(file.archive);
    const own = filesOf.get(archive) ?? [];
    if (archive === undefined || own[0] !== file) continue;
    const read = await failing(
      own.map(({ path }) => path),
      run,
      paths.length - own.length + 1,
      async () => readArchive(archive, own, run),
    );
    found.push(read);
    if ("error" in read) continue;
    for (const one of own) open.delete(one);
    open.add(read);
  }
  return found;
}

function readArchive(archive: ImageArchive, files: readonly OpenFile[], { names, options }: PushRun): ReadArchive {
  const { what, images } = archive;
  const roots = chosenRoots(images, names, what);
  const named = names.tags.length > 0 ? [] : images.filter(root => root.names.length > 0);
  noteBadNames(named, what, noteTo(options.onProgress));
  const paths = files.map(({ path }) => path);
  const [path = ""] = paths;
  const single = files.length === 1 ? files[0] : undefined;
  const { reading, sentTo } = single ?? {};
  const source = single !== undefined && single.archive === archive ? single.reading.sourceOf(single.archive) : archive;
  const close = async (): Promise<void> => {
    for (const file of files) await file[Symbol.asyncDispose]();
  };
  return { paths, opened: { path, archive, source, reading, sentTo }, roots, [Symbol.asyncDispose]: close };
}

/** A tag names one image: the next archive would take it from the one before. @throws UsageError */
function checkOneTagged(archives: readonly { readonly paths: readonly string[] }[], { names }: PushRun): void {
  if (archives.length < 2 || names.tags.length === 0) return;
  const paths = archives.map(one => one.paths[0]).join(", ");
  throw new UsageError(`Cannot push ${archives.length} archives under one tag: found ${paths}, expected one`, {
    hint: "Push them one by one, or leave out the tag to use the names in the archives.",
  });
}

function planArchive(
  archive: ReadArchive,
  { names, registries }: PushRun,
  owners: ReturnType<typeof rootOwners>,
): Planned {
  const plan = chosenDestinations(archive.roots, names, archive.opened.archive.what, owners);
  registries.admit(plan.found.map(({ registry }) => registry));
  return { ...plan, archive };
}

/** Notes tags that no image gets. */
function noteSharedTags(archives: readonly (ReadArchive | Failed)[], { names, options }: PushRun): void {
  if (names.tags.length > 0) return;
  const images = archives.flatMap(one =>
    "error" in one ? [] : one.roots.map(root => ({ id: idOf(root), names: root.names })),
  );
  for (const message of sharedTagNotes(images)) options.onProgress({ kind: "note", message });
}
