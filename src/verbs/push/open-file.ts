import type { ArchiveSource } from "../../archive/archive-source.ts";
import type { KnownLocks } from "../../archive/lock/known-locks.ts";
import { openArchive } from "../../archive/open-archive.ts";
import { noteTo, readingTo } from "../../content/progress.ts";
import { IntegrityError, UsageError } from "../../errors.ts";
import { isEngineName } from "../../oci/names/engine-name.ts";
import type { TargetName } from "../../oci/names/image-mapping.ts";
import { formatReference, parseReference, resolveDockerHub } from "../../oci/reference.ts";
import { quote } from "../../util/format.ts";
import { type FoundImage, findEngineImage } from "../engines/engine-input.ts";
import { registryOptions } from "../options/registry-options.ts";
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
  const image = isEngineName(path)
    ? await findEngineImage(path, signal, registryOptions(options.registry).retry?.timeoutMs)
    : undefined;
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
    const checksSignature = run.requireSigned !== undefined;
    const scan = { scan: reading.scan, onNote, onRead, locks, signal, stdin, engine, isTolerant, checksSignature };
    const archive = await openArchive(path, scan);
    if (image !== undefined) await checkName(path, image, archive);
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

/** Closes an archive that does not have the name of the image that its engine was asked for. @throws IntegrityError */
async function checkName(path: string, { name, engine }: FoundImage, archive: ArchiveSource): Promise<void> {
  if (name === undefined) return;
  const names = archive.images.flatMap(image => image.names);
  if (names.includes(formatReference(resolveDockerHub(parseReference(name))))) return;
  await archive[Symbol.asyncDispose]();
  const found = names.length === 0 ? "an image without a name" : quote(names[0] ?? "");
  throw new IntegrityError(`Cannot read ${quote(path)}: ${engine.kind} sent ${found}, expected ${quote(name)}`, {
    hint: "Nothing has got a tag. Somebody may have named the image otherwise just now: run the same command again.",
  });
}

/** Where the images of an input go, as far as that is known before it is read. @throws UsageError */
function repositoriesOf(
  path: string,
  image: FoundImage | undefined,
  names: PushNames,
): readonly Pick<TargetName, "registry" | "repository">[] {
  if (image === undefined || names.tags.length > 0) return names.repositories();
  if (image.name !== undefined) return [names.fromArchive(image.name)];
  if (image.isNamed) {
    throw new UsageError(`Cannot push ${quote(path)}: ${image.engine.kind} has it under another name, expected that`, {
      hint: "Type the whole name, with its registry, or name it with --tag REGISTRY/REPOSITORY:TAG.",
    });
  }
  throw new UsageError(`Cannot push ${quote(path)}: an id or a digest names it, expected a name with a tag`, {
    hint: "Name it with --tag REGISTRY/REPOSITORY:TAG.",
  });
}
