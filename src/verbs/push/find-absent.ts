import type { AbsentBlob, ImageArchive } from "../../archive/archive-source.ts";
import type { Root } from "../../content/contracts.ts";
import { stepTo } from "../../content/progress.ts";
import { addReferrers } from "../../copy/add-referrers.ts";
import { gather } from "../../copy/gather.ts";
import { AuthError, NotFoundError, RegistryError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { repositoryOf } from "../../oci/names/repository-of.ts";
import { findBlob } from "../../registry/api/blobs.ts";
import type { Repository } from "../../registry/client/repository.ts";
import { append, appendTo } from "../../util/append.ts";
import { runBounded } from "../../util/task-group.ts";
import { idOf, namesInArchive } from "../shared/choose-image.ts";
import type { Destination } from "../shared/destinations.ts";
import type { PushNames } from "../shared/push-names.ts";
import type { PushRun } from "./push-to-repository.ts";

/** Requests at the same time: each is one HEAD. */
const CONCURRENCY = 16;

/** What an archive lacks, and no target registry has either. */
export interface MissingBlobs {
  readonly blobs: readonly AbsentBlob[];
  /** Names of the images that need them. */
  readonly images: readonly string[];
  /** Hosts that were asked. */
  readonly registries: readonly string[];
}

/**
 * Asks the targets for each blob that an archive lacks: the repository that needs it, and, to mount it from there, the other
 * ones of this registry where the images of the base are.
 */
export async function findAbsent(
  archive: ImageArchive,
  targets: readonly Destination[],
  run: PushRun,
): Promise<MissingBlobs> {
  const missing = new Map<Digest, AbsentBlob>();
  const images = new Set<string>();
  const wanted: Wanted[] = [];
  for (const destination of targets) append(wanted, await wantedBy(archive, destination, run));
  const onBlob = stepTo(run.options.onProgress, "blobs", wanted.length);
  await runBounded(
    wanted,
    CONCURRENCY,
    async ({ blob, destination, names }, signal) => {
      onBlob();
      // A plan needs the bytes of manifests, wherever they are.
      if (blob.kind !== "manifest" && (await isHeld(blob, destination, targets, run, signal))) return;
      missing.set(blob.digest, blob);
      for (const name of names) images.add(name);
    },
    run.options.signal,
  );
  return {
    blobs: [...missing.values()].sort((left, right) => (left.digest < right.digest ? -1 : 1)),
    images: [...images].sort(),
    registries: [...new Set(targets.map(({ registry }) => registry))],
  };
}

/** A blob that images of one destination need. */
interface Wanted {
  readonly blob: AbsentBlob;
  readonly destination: Destination;
  /** Of these images, in the archive. */
  readonly names: readonly string[];
}

async function wantedBy(archive: ImageArchive, destination: Destination, run: PushRun): Promise<readonly Wanted[]> {
  const absent = new Map(archive.absent.map(blob => [blob.digest, blob]));
  const names = new Map<Digest, string[]>();
  for (const root of destination.roots) {
    const own = namesInArchive(archive.images, root);
    const label = own.length === 0 ? [idOf(root)] : own;
    for (const digest of await blobsOf(archive, root, own, run)) {
      if (absent.has(digest)) for (const name of label) appendTo(names, digest, name);
    }
  }
  return [...names].flatMap(([digest, own]) => {
    const blob = absent.get(digest);
    return blob === undefined ? [] : [{ blob, destination, names: own }];
  });
}

/** All blobs of an image; of one whose manifest is missing, what the lock says that its repositories have. */
async function blobsOf(
  archive: ImageArchive,
  root: Root,
  names: readonly string[],
  { options: { signal, referrers } }: PushRun,
): Promise<readonly Digest[]> {
  try {
    const found = await gather(archive, [root], signal, undefined, () => undefined);
    const options = { originals: [root], onNote: () => undefined, signal };
    const plan = referrers === false ? found : await addReferrers(archive, found, options);
    return [...plan.manifests.keys(), ...plan.blobs.map(({ digest }) => digest)];
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    const own = new Set(names.map(repositoryOf));
    return archive.absent
      .filter(({ repositories }) => repositories.length === 0 || repositories.some(name => own.has(name)))
      .map(({ digest }) => digest);
  }
}

async function isHeld(
  blob: AbsentBlob,
  destination: Destination,
  targets: readonly Destination[],
  { names, registries, cache, held }: PushRun,
  signal: AbortSignal,
): Promise<boolean> {
  const { registry } = destination;
  const own = await registries.repositoryFor(destination, signal, "pull,push");
  if ((await findBlob(own, blob, signal)) === "present") return true;
  for (const repository of otherHomes(blob, destination, targets, names)) {
    const home = await registries.repositoryFor({ registry, repository }, signal);
    if (!(await hasBlob(home, blob, signal))) continue;
    held.add(registry, blob.digest, home);
    await cache.addHolder(registry, blob.digest, repository);
    return true;
  }
  return false;
}

/** Repositories of the registry that may have a blob: where the images of the base are, and the other targets. */
function otherHomes(
  { repositories, sources = [] }: AbsentBlob,
  { registry, repository: own }: Destination,
  targets: readonly Destination[],
  names: PushNames,
): readonly string[] {
  const mapped = [...new Set([...repositories, ...sources])].flatMap(name => names.repositoryAt(name, registry) ?? []);
  const others = targets.flatMap(one => (one.registry === registry ? [one.repository] : []));
  return [...new Set([...mapped, ...others])].filter(name => name !== own);
}

/** A repository that may not be read has nothing to mount. */
async function hasBlob(home: Repository, blob: AbsentBlob, signal: AbortSignal): Promise<boolean> {
  try {
    return (await findBlob(home, blob, signal)) === "present";
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof AuthError || (error instanceof RegistryError && error.status < 500)) return false;
    throw error;
  }
}
