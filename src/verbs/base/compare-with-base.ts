import type { Readable } from "node:stream";
import type { Base, Bundle } from "../../bundle/base/bundle.ts";
import { type ComparedBundles, compareBundles } from "../../bundle/base/compare-bundles.ts";
import type { OnProgress } from "../../content/progress.ts";
import { UsageError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { quote } from "../../util/format.ts";
import { checkedOptions, type OptionsShape } from "../../util/options/checked-options.ts";
import { required, TEXTS } from "../../util/options/option-kinds.ts";
import { COMMON, READING } from "../options/common-options.ts";
import { MAPPING, type MappingOptions } from "../options/mapping-options.ts";
import { checkedList, checkText, listOf } from "../options/option-values.ts";
import type { RegistryOptions } from "../options/registry-options.ts";
import { comparedBases } from "./compared-bases.ts";
import { isBundlePath } from "./named-bases.ts";
import { openBundle } from "./open-bundle.ts";

/** Options of `compareWithBase`. */
export interface CompareOptions extends MappingOptions {
  /** Archives, folders, locks, or registries: `host[:port][/prefix]`. What one of them has is there. */
  readonly base: string | readonly string[];
  /** How registries are reached; a string is short for `{ host }`. */
  readonly registry?: string | RegistryOptions | undefined;
  /** Stream that the archive "-" is read from. Default: stdin of the process. */
  readonly stdin?: Readable | undefined;
  /** Is called with notes and retries. */
  readonly onProgress?: OnProgress | undefined;
  /** Stops the call; its promise rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

const COMPARE_OPTIONS: OptionsShape<CompareOptions> = {
  ...READING,
  ...MAPPING,
  base: required(TEXTS),
  registry: COMMON.registry,
};

/** An archive, a lock or a registry that was compared. */
export interface ComparedSource {
  /** Path or `host[:port][/prefix]`, as it was given. */
  readonly source: string;
  readonly kind: Base["kind"];
  /** Of its lock, if it has one. */
  readonly id?: Digest;
  /** Number of names. Of a registry, only of those that were asked for and are there. */
  readonly images: number;
  /** Number of blobs, manifests included. Of a registry, only of those that were asked for and are there. */
  readonly blobs: number;
  /** True if layers are uncompressed: those of a registry are never the same, even if their files are. */
  readonly hasRawLayers: boolean;
}

/** What is new, changed, unchanged and gone. */
export interface Comparison extends ComparedBundles {
  readonly kind: "comparison";
  /** What was compared with the bases. */
  readonly bundle: ComparedSource;
  /** In the order of the option; the volumes of a set are one. */
  readonly base: readonly ComparedSource[];
}

/**
 * Compares an archive or a lock with what is already there: which images are new, changed, unchanged or gone, and how many
 * bytes no base has. Digests decide, never dates or versions. Of archives only metadata is read. A registry is asked by HEAD for the
 * names and digests of `source`, under the names that `push` gives them there.
 *
 * @param source file or folder of an archive, "-" for an archive from stdin, or a lock; or several files that are one source,
 * such as volumes.
 * @throws ArchiveError, IntegrityError, StorageError for an archive that cannot be read.
 * @throws UsageError for a lock that was edited or is of a newer version, and for options that cannot be used.
 * @throws AuthError, NetworkError, RegistryError
 * @example
 * ```ts
 * import { compareWithBase } from "imgpack";
 *
 * const { images, bytes } = await compareWithBase("next.lock", { base: ["site.lock", "registry.lan:5000/mirror"] });
 * for (const { name, state } of images) console.log(name, state);
 * console.log(bytes.new);
 * ```
 */
export async function compareWithBase(
  source: string | readonly string[],
  options: CompareOptions,
): Promise<Comparison> {
  const sources = typeof source === "string" ? [source] : checkedList("compare", "archives", source);
  for (const path of sources) checkText("compare", "the path of an archive or a lock", path);
  options = checkedOptions(options, COMPARE_OPTIONS);
  for (const path of sources) {
    if (await isBundlePath(path)) continue;
    throw new UsageError(`Cannot compare ${quote(path)}: found a reference, expected an archive, a folder or a lock`, {
      hint: "Lock the image first: imgpack lock REFERENCE -o new.lock.",
    });
  }
  const readBases = await comparedBases(sources, listOf(options.base), options);
  const bundle = await openBundle(sources, options);
  const bases = await readBases(bundle);
  return {
    kind: "comparison",
    bundle: sourceOf(bundle),
    base: bases.map(sourceOf),
    ...compareBundles(bundle, bases),
  };
}

function sourceOf({ where, kind, id, images, blobs, hasRawLayers }: Base | Bundle): ComparedSource {
  const known = id === undefined ? {} : { id };
  return { source: where, kind, ...known, images: images.length, blobs: blobs.size, hasRawLayers };
}
