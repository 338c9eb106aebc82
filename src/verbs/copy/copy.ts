import { hasGlob } from "../../bundle/list/reference-glob.ts";
import { type ImgpackError, UsageError } from "../../errors.ts";
import { hasV1, isV1Reference } from "../../oci/legacy/has-v1.ts";
import { parseReference } from "../../oci/reference.ts";
import { checkedOptions } from "../../util/options/checked-options.ts";
import { readMapping } from "../options/mapping-options.ts";
import { checkText } from "../options/option-values.ts";
import { parsePrefix } from "../options/prefix.ts";
import { readPlatforms } from "../options/read-platforms.ts";
import { refuseV1Options } from "../options/refuse-v1-options.ts";
import { refuseV1Shard } from "../options/shard-option.ts";
import { expandReferences, registryOf } from "../requested/expand-references.ts";
import { readLock } from "../requested/read-lock.ts";
import { checkedImages, formatRequested, type RequestedImage, resolveImage } from "../requested/requested-image.ts";
import { readableReference, writableReference } from "../shared/remote-image.ts";
import { copyAll } from "./copy-all.ts";
import { type CopyJob, type FailedGlob, mappedTarget } from "./copy-jobs.ts";
import {
  COPY_OPTIONS,
  COPY_TO_OPTIONS,
  type CopyOptions,
  type CopyResult,
  type CopyToOptions,
} from "./copy-options.ts";

/**
 * Copies an image to another repository, in the same registry or another one. The digest stays the same, unless `platform`
 * chooses several platforms. Blobs are mounted or streamed, not stored.
 *
 * @param source `[registry/]repository[:tag]` or `[registry/]repository@digest`
 * @param target `registry/repository[:tag]`. Default: the tag of the source.
 * @throws UsageError for a target without a registry, or with a digest.
 * @throws NotFoundError, AuthError, NetworkError, RegistryError, IntegrityError
 * @example
 * ```ts
 * import { copy } from "imgpack";
 *
 * const { bytesSent } = await copy("quay.io/team/app:1.4", "registry.lan:5000/team/app");
 * console.log(`${bytesSent} bytes`);
 * ```
 */
export async function copy(source: string, target: string, options: CopyOptions = {}): Promise<CopyResult> {
  checkText("copy", "the name of an image", source);
  checkText("copy", "a name for the image", target);
  options = checkedOptions(options, COPY_OPTIONS);
  if (isV1Reference(target) || isV1Reference(source)) refuseV1Shard(options);
  if (isV1Reference(target)) {
    const { copyToV1 } = await import("../v1/writing/copy-to-v1.ts");
    return await copyToV1(source, target, options);
  }
  if (isV1Reference(source)) {
    const { copyV1 } = await import("../v1/rescue/copy-v1.ts");
    return await copyV1(source, target, options);
  }
  refuseV1Options(options);
  const from = readableReference(source, options.registry);
  const { tag: _, ...to } = writableReference("copy to", target, options.registry);
  if (to.digest !== undefined) {
    throw new UsageError(`Cannot copy to ${target}: found a digest, expected a tag or none`, {
      hint: "The digest is that of the source; it needs no naming.",
    });
  }
  const tag = parseReference(target).tag ?? from.tag;
  const platforms = readPlatforms("copy", options.platform, "all");
  const job: CopyJob = { source, from, to: { ...to, ...(tag === undefined ? {} : { tag }) }, platforms };
  const named = [from.registry, to.registry];
  return await copyAll({ named, reached: named, jobs: async () => [job], failed: [] }, options);
}

/**
 * Copies images below a prefix, each with its own repository and tag: with the prefix `registry.lan:5000/mirror`,
 * `quay.io/team/app:2` becomes `registry.lan:5000/mirror/team/app:2`. An image that fails does not stop the others.
 *
 * @param sources `[registry/]repository[:tag]` or `[registry/]repository@digest`, or an object with more
 * @param prefix `host[:port][/prefix]`, or `v1://host[:port][/namespace]`
 * @throws PartialError if some of several images failed, or what refers to an image; the others are copied.
 * @throws UsageError for a prefix without a registry, and before anything is sent for two images that would get one name.
 * @throws NotFoundError, AuthError, NetworkError, RegistryError, IntegrityError
 * @example
 * ```ts
 * import { copyTo } from "imgpack";
 *
 * await copyTo(["quay.io/team/app:1.4", "quay.io/team/db:2"], "registry.lan:5000/mirror");
 * ```
 */
export async function copyTo(
  sources: readonly (string | RequestedImage)[],
  prefix: string,
  options: CopyToOptions = {},
): Promise<CopyResult> {
  const requested = checkedImages("copy", sources);
  checkText("copy", "HOST/PREFIX", prefix);
  options = checkedOptions(options, COPY_TO_OPTIONS);
  if (isV1Reference(prefix) || hasV1(requested)) refuseV1Shard(options);
  if (isV1Reference(prefix)) {
    const { copyToV1Below } = await import("../v1/writing/copy-to-v1.ts");
    return await copyToV1Below(requested, prefix, options);
  }
  if (hasV1(requested)) {
    const { copyV1To } = await import("../v1/rescue/copy-v1.ts");
    return await copyV1To(requested, prefix, options);
  }
  refuseV1Options(options);
  const { registry, repository } = parsePrefix("copy to", prefix);
  const mapping = { registry, prefix: repository, ...readMapping(options) };
  const jobOf = (image: RequestedImage): CopyJob => {
    const { reference: from, name = from, platforms, line: source } = resolveImage(image, options.registry);
    return {
      source,
      from,
      ...mappedTarget(name, mapping),
      platforms: readPlatforms("copy", platforms.length === 0 ? options.platform : platforms, "all"),
    };
  };
  const texts = requested.map(({ reference }) => reference);
  const failed: FailedGlob[] = [];
  const onFailed = (image: RequestedImage, error: ImgpackError): void =>
    void failed.push({ source: formatRequested(image), error });
  // All of them are read before a registry is asked.
  for (const image of requested) if (!hasGlob(image.reference)) jobOf(image);
  return await copyAll(
    {
      named: [...(options.trustedReferences ?? texts).map(text => registryOf(text, options.registry)), registry],
      reached: [...texts.map(text => registryOf(text, options.registry)), registry],
      jobs: async registries => {
        const { signal } = options;
        return (await expandReferences(requested, registries, { registry: options.registry, signal, onFailed })).map(
          jobOf,
        );
      },
      failed,
      lock: options.lock === undefined ? undefined : await readLock(options.lock, options),
    },
    options,
  );
}
