import { openArchive } from "../../archive/open-archive.ts";
import type { CopyPlan, Root } from "../../content/contracts.ts";
import { noteTo, readingTo } from "../../content/progress.ts";
import { ImgpackError, InternalError } from "../../errors.ts";
import { sharedTagNotes } from "../../oci/names/name-notes.ts";
import { idOf, noteBadNames } from "../shared/choose-image.ts";
import {
  chosenDestinations,
  chosenRoots,
  type Destination,
  type Destinations,
  rootOwners,
} from "../shared/destinations.ts";
import { StreamedInput } from "../shared/streamed-input.ts";
import type { OpenedArchive, PushRun } from "./push-to-repository.ts";
import { refuseCollisions } from "./refuse-collisions.ts";

const NOTHING_KNOWN: CopyPlan = { roots: [], pending: [], blobs: [], manifests: new Map(), totalBytes: 0 };

/** An open archive, and where its images go. */
export interface PlannedArchive extends AsyncDisposable {
  /** As the user typed it. */
  readonly path: string;
  readonly opened: OpenedArchive;
  readonly targets: readonly Destination[];
  readonly nameless: Destinations["nameless"];
}

/** The archives of a push. Disposing it closes those that were not taken. */
export interface PlannedArchives extends AsyncDisposable {
  readonly archives: readonly {
    readonly path: string;
    /** The caller closes it. @throws what was wrong with it. */
    take(): PlannedArchive;
  }[];
}

/**
 * Opens all archives of a push, and decides where their images go, before anything is sent; a streamed one is read, and with
 * `tag` its layers are sent. One that cannot be opened does not stop the others.
 *
 * @throws UsageError for two images that would get one name.
 */
export async function openArchives(paths: readonly string[], run: PushRun): Promise<PlannedArchives> {
  const opened: (ReadArchive | ImgpackError)[] = [];
  const open = new Set<ReadArchive>();
  const close = async (): Promise<void> => {
    for (const archive of open) await archive[Symbol.asyncDispose]();
  };
  try {
    for (const path of paths) {
      const archive = await failing(paths, run, async () => await readArchive(path, run));
      opened.push(archive);
      if (!(archive instanceof ImgpackError)) open.add(archive);
    }
    const read = [...open];
    const owners = rootOwners(read.flatMap(({ roots }) => roots));
    noteSharedTags(read, run);
    const planned: (Planned | ImgpackError)[] = [];
    for (const archive of opened) {
      planned.push(
        archive instanceof ImgpackError
          ? archive
          : await failing(paths, run, async () => planArchive(archive, run, owners)),
      );
    }
    await refuseCollisions(
      planned.flatMap(one =>
        one instanceof ImgpackError ? [] : [{ source: one.archive.opened.source, used: one.used }],
      ),
      run,
    );
    return {
      archives: paths.map((path, index) => ({
        path,
        take: () => {
          const one = planned[index];
          if (one === undefined) throw new InternalError(`Cannot push ${path}: it was not opened`);
          if (one instanceof ImgpackError) throw one;
          open.delete(one.archive);
          return { ...one.archive, targets: one.found, nameless: one.nameless };
        },
      })),
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

interface ReadArchive extends Pick<PlannedArchive, "path" | "opened">, AsyncDisposable {
  readonly roots: readonly Root[];
}

interface Planned extends Destinations {
  readonly archive: ReadArchive;
}

/** @returns an error of one of several archives: the others are pushed nevertheless. */
async function failing<T>(paths: readonly string[], run: PushRun, task: () => Promise<T>): Promise<T | ImgpackError> {
  try {
    return await task();
  } catch (error) {
    run.options.signal?.throwIfAborted();
    if (error instanceof ImgpackError && paths.length > 1) return error;
    throw error;
  }
}

async function readArchive(path: string, run: PushRun): Promise<ReadArchive> {
  const { options, names, registries, cache } = run;
  const { profile } = run.compression;
  const { signal, onProgress, stdin } = options;
  const onNote = noteTo(onProgress);
  const onRead = readingTo(onProgress, path);
  const [firstRepository, ...otherRepositories] = names.repositories();
  const beginUpload =
    firstRepository === undefined
      ? undefined
      : async () => await (await registries.targetFor(firstRepository, cache, signal)).begin(NOTHING_KNOWN, signal);
  const isDryRun = options.dryRun === true;
  const isShared = otherRepositories.length > 0;
  const reading = new StreamedInput({ beginUpload, isShared, profile, cache, isDryRun, onProgress });
  const closing: AsyncDisposable[] = [reading];
  const close = async (): Promise<void> => {
    for (const one of closing.toReversed()) await one[Symbol.asyncDispose]();
  };
  try {
    const archive = await openArchive(path, { onNote, onRead, signal, stdin, scan: reading.scan });
    closing.push(archive);
    const { what } = archive.archive;
    const roots = chosenRoots(archive.images, names, what);
    noteBadNames(names.tags.length > 0 ? [] : archive.images.filter(({ names }) => names.length > 0), what, onNote);
    const sentTo =
      firstRepository === undefined ? undefined : `${firstRepository.registry}/${firstRepository.repository}`;
    const opened = { path, archive, source: reading.sourceOf(archive), reading, sentTo };
    return { path, opened, roots, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

function planArchive(
  archive: ReadArchive,
  { names, registries }: PushRun,
  owners: ReturnType<typeof rootOwners>,
): Planned {
  const plan = chosenDestinations(archive.roots, names, archive.opened.archive.archive.what, owners);
  registries.admit(plan.found.map(({ registry }) => registry));
  return { ...plan, archive };
}

/** Notes tags that no image gets. */
function noteSharedTags(archives: readonly ReadArchive[], { names, options }: PushRun): void {
  if (names.tags.length > 0) return;
  const images = archives.flatMap(({ roots }) => roots.map(root => ({ id: idOf(root), names: root.names })));
  for (const message of sharedTagNotes(images)) options.onProgress({ kind: "note", message });
}
