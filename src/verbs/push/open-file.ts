import type { ArchiveSource } from "../../archive/archive-source.ts";
import type { KnownLocks } from "../../archive/lock/known-locks.ts";
import { openArchive } from "../../archive/open-archive.ts";
import { noteTo, readingTo } from "../../content/progress.ts";
import { UsageError } from "../../errors.ts";
import { isEngineName } from "../../oci/names/engine-name.ts";
import type { TargetName } from "../../oci/names/image-mapping.ts";
import { quote } from "../../util/format.ts";
import { type FoundImage, findEngineImage } from "../engines/engine-input.ts";
import type { PushNames } from "../shared/push-names.ts";
import { StreamedInput } from "../shared/streamed-input.ts";
import type { PushRun } from "./push-to-repository.ts";

export interface OpenFile extends AsyncDisposable {
  readonly path: string;
  readonly archive: ArchiveSource;
  readonly reading: StreamedInput;
  /** `registry/repository` that gets its layers while it is read. */
  readonly sentTo: string | undefined;
}

/** Opens one input of a push, and sends the layers of a streamed one, if its repository is known. */
export async function openFile(
  path: string,
  { isAlone, locks }: { readonly isAlone: boolean; readonly locks: KnownLocks },
  run: PushRun,
): Promise<OpenFile> {
  const { options, names, registries, cache } = run;
  const { profile } = run.compression;
  const { signal, onProgress, stdin } = options;
  const onNote = noteTo(onProgress);
  const onRead = readingTo(onProgress, path);
  const { shard } = options;
  const image = isEngineName(path) ? await findEngineImage(path, signal) : undefined;
  if (image !== undefined) run.engines.set(image.engine.address, image.engine);
  // Which shard has the image is known only after the archive was read.
  const isKnown = shard === undefined && (isAlone || image !== undefined);
  const [firstRepository, ...otherRepositories] = isKnown ? repositoriesOf(path, image, names) : [];
  const openTarget =
    firstRepository === undefined || run.requireSigned !== undefined
      ? undefined
      : async () => {
          registries.admit([firstRepository.registry]);
          return await registries.targetFor(firstRepository, cache, signal);
        };
  const isDryRun = options.dryRun === true;
  const isShared = otherRepositories.length > 0;
  const reason = run.requireSigned && "because its signature is checked first";
  const reading = new StreamedInput({ openTarget, isShared, profile, cache, isDryRun, reason, onProgress });
  try {
    const { isTolerant } = run;
    const engine = image && (async () => await image.save(signal));
    const scan = { scan: reading.scan, onNote, onRead, locks, signal, stdin, engine, isTolerant };
    const archive = await openArchive(path, scan);
    const sentTo =
      firstRepository === undefined ? undefined : `${firstRepository.registry}/${firstRepository.repository}`;
    const close = async (): Promise<void> => {
      await archive[Symbol.asyncDispose]();
      await reading[Symbol.asyncDispose]();
    };
    return { path, archive, reading, sentTo, [Symbol.asyncDispose]: close };
  } catch (error) {
    await reading[Symbol.asyncDispose]();
    throw error;
  }
}

/** Where the images of an input go, as far as that is known before it is read. @throws UsageError */
function repositoriesOf(
  path: string,
  image: FoundImage | undefined,
  names: PushNames,
): readonly Pick<TargetName, "registry" | "repository">[] {
  if (image === undefined || names.tags.length > 0) return names.repositories();
  if (image.name !== undefined) return [names.fromArchive(image.name)];
  throw new UsageError(`Cannot push ${quote(path)}: an id or a digest names it, expected a name with a tag`, {
    hint: "Name it with --tag REGISTRY/REPOSITORY:TAG.",
  });
}
