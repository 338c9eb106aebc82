import { openDigestCache } from "../copy/digest-cache.ts";
import { UsageError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { isV1Reference } from "../oci/legacy/has-v1.ts";
import { parseManifest, type RawManifest } from "../oci/manifest.ts";
import { isTag, parseReference, resolveDockerHub } from "../oci/reference.ts";
import { putManifest } from "../registry/api/put-manifest.ts";
import { type FullReference, manifestKey } from "../registry/registry-source.ts";
import { checkedOptions } from "../util/options/checked-options.ts";
import { type CopyRun, copyBetween } from "./copy/copy-between.ts";
import { COMMON } from "./options/common-options.ts";
import { checkedList, checkText } from "./options/option-values.ts";
import { Attempts } from "./shared/attempts.ts";
import {
  getNamedManifest,
  type RemoteOptions,
  repositoryName,
  withRegistries,
  writableReference,
} from "./shared/remote-image.ts";

/** The names that an image got. */
export interface TagResult {
  /** Of the manifest or index. Absent in a v1 registry. */
  readonly digest?: Digest;
  readonly mediaType?: string;
  /** Of the top layer, in a v1 registry. */
  readonly id?: string;
  /** `registry/repository:tag`, in the order in which they were given. */
  readonly references: readonly string[];
}

/**
 * Gives an image more names in its registry, with the same digest. Layers are not moved; for a name in another repository
 * they are mounted, or streamed if the registry does not mount.
 *
 * @param names tags, or `[registry/]repository:tag` of the same registry.
 * @throws UsageError for a name at another registry, or without a registry.
 * @throws PartialError if some of several names were refused; the image has the others.
 * @throws NotFoundError, AuthError, NetworkError, RegistryError
 * @example
 * ```ts
 * import { tag } from "imgpack";
 *
 * await tag("registry.lan:5000/team/app:1.4.2", ["1.4", "latest"]);
 * ```
 */
export async function tag(
  reference: string,
  names: readonly string[],
  options: RemoteOptions = {},
): Promise<TagResult> {
  checkText("tag", "the name of an image", reference);
  options = checkedOptions<RemoteOptions>(options, COMMON);
  const { signal, onProgress = () => undefined } = options;
  names = checkedList("tag", "names", names);
  if (names.length === 0) throw new UsageError(`Cannot tag ${reference}: no name given, expected at least one`);
  if (isV1Reference(reference))
    return await (await import("./v1/writing/change-v1.ts")).tagInV1(reference, names, options);
  const from = writableReference("tag", reference, options.registry);
  const targets = names.map(name => readTarget(name, from));
  return await withRegistries(options, from.registry, async registries => {
    const repository = await registries.repositoryFor(from, signal, "pull,push");
    const key = manifestKey(from);
    const { descriptor, manifest, payload } = await getNamedManifest(repository, from, { takesAny: true, signal });
    if (payload !== undefined) refuseSchema1(manifest, `${repository}:${key}`);
    const { digest, mediaType } = descriptor;
    // Tags the manifest that was read, even if the source tag has moved since.
    const source: FullReference = { registry: from.registry, repository: from.repository, digest };
    const cache = await openDigestCache(undefined);
    const run: CopyRun = {
      registries,
      cache,
      platforms: "all",
      // One more name: "copy" is what carries signatures.
      referrers: false,
      onProgress,
      signal,
    };
    const references: string[] = [];
    const attempts = new Attempts(targets.length, signal);
    for (const [index, target] of targets.entries()) {
      const key = manifestKey(target);
      await attempts.run(names[index] ?? key, async () => {
        if (target.repository === from.repository) await putManifest(repository, key, manifest, digest, { signal });
        else await copyBetween(run, source, target, [key]);
        references.push(`${repositoryName(target)}:${key}`);
      });
    }
    const hint = "The image has the other names. Fix the cause and run the same command again.";
    return attempts.settle(`tag ${reference} as`, "names", { digest, mediaType, references }, hint);
  });
}

/** Schema 1 is read, and never written. @throws ArchiveError */
function refuseSchema1({ bytes, mediaType }: RawManifest, where: string): void {
  parseManifest(bytes, { where, announced: mediaType });
}

/** A word without "/" and ":" is a tag; anything else a name, of the source's registry if it names none. */
function readTarget(name: string, from: FullReference): FullReference {
  const { registry, repository } = from;
  if (isTag(name)) return { registry, repository, tag: name };
  const parsed = parseReference(name);
  if (parsed.digest !== undefined) {
    throw new UsageError(`Cannot tag as ${name}: found a digest, expected a tag`, {
      hint: "A digest is not given, it follows from the bytes.",
    });
  }
  const target = resolveDockerHub(parsed.registry === undefined ? { ...parsed, registry } : parsed);
  if (target.registry === registry) return target;
  throw new UsageError(`Cannot tag as ${name}: found registry ${target.registry}, expected ${registry}`, {
    hint: 'Between registries, "imgpack copy" does it.',
  });
}
