import { hasGlob, matchesTag, parseGlob } from "../../bundle/list/reference-glob.ts";
import { noteTo } from "../../content/progress.ts";
import { NotFoundError, UsageError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { hasV1 } from "../../oci/legacy/has-v1.ts";
import { type ImageMapping, mapImageName } from "../../oci/names/image-mapping.ts";
import { formatReference, parseReference, type Reference } from "../../oci/reference.ts";
import { resolveDigest } from "../../registry/api/resolve-digest.ts";
import { v1Hint } from "../../registry/api/v1-hint.ts";
import { readingAnswer } from "../../registry/client/registry-answer.ts";
import { quote } from "../../util/format.ts";
import { checkedOptions, type OptionsShape } from "../../util/options/checked-options.ts";
import { TEXT, TEXT_LIST } from "../../util/options/option-kinds.ts";
import { TaskGroup } from "../../util/task-group.ts";
import { COMMON } from "../options/common-options.ts";
import { MAPPING, type MappingOptions, readMapping } from "../options/mapping-options.ts";
import { parsePrefix } from "../options/prefix.ts";
import { expandReferences, registryOf } from "../requested/expand-references.ts";
import { checkedImages, formatRequested, type RequestedImage, resolveImage } from "../requested/requested-image.ts";
import { RegistryPool } from "../shared/registry-pool.ts";
import type { RemoteOptions } from "../shared/remote-image.ts";

/** Requests at the same time: each is one HEAD. */
const CONCURRENCY = 16;

/** Options of `missingImages`. */
export interface MissingImagesOptions extends RemoteOptions, MappingOptions {
  /** `host[:port][/prefix]` that has the images below, as `push` and `copyTo` put them. Default: the registry of each image. */
  readonly to?: string | undefined;
  /** As in `PullOptions`. */
  readonly trustedReferences?: readonly string[] | undefined;
}

const OPTIONS: OptionsShape<MissingImagesOptions> = {
  ...COMMON,
  ...MAPPING,
  to: TEXT,
  trustedReferences: TEXT_LIST,
};

/** An image that is not there. */
export interface MissingImage {
  /** As a line of a list, so that another machine can pull it. */
  readonly image: string;
  /** Where it was looked for: `registry/repository`, with a tag or a digest. */
  readonly target: string;
  /** Digest that the tag has there, if it is another one than that of the lock. */
  readonly found?: string;
}

/** What `missingImages` found. */
export interface MissingImages {
  /** In the order of the images, each once. */
  readonly missing: readonly MissingImage[];
  /** Number of images that are there. */
  readonly present: number;
}

/** Or the digest that the tag has instead. */
type Presence = boolean | Digest;

/** Where an image is looked for. */
interface Wanted {
  readonly image: RequestedImage;
  readonly at: Reference & { readonly registry: string };
  /** Tag with wildcards: one that matches is enough. */
  readonly glob?: string | undefined;
}

/**
 * Finds images that registries do not have: one HEAD for each name. With `to`, no other registry is asked. A registry that
 * does not answer, or refuses, is an error, not a "no".
 *
 * @param images references, also with wildcards in the tag: of those, one tag that matches is enough.
 * @throws UsageError, BadReferenceError; AuthError, NetworkError, RegistryError
 * @example
 * ```ts
 * import { missingImages } from "imgpack";
 *
 * const { missing } = await missingImages(["quay.io/team/app:1.4"], { to: "registry.lan:5000/mirror" });
 * for (const { image } of missing) console.log(image);
 * ```
 */
export async function missingImages(
  images: readonly (string | RequestedImage)[],
  options: MissingImagesOptions = {},
): Promise<MissingImages> {
  options = checkedOptions(options, OPTIONS);
  const requested = checkedImages("look for images", images);
  const { registry, trustedReferences } = options;
  const hostOf = (text: string): string => registryOf(text, registry);
  const mapping = mappingOf(options);
  const texts = requested.map(({ reference }) => reference);
  if (options.to === undefined && hasV1(texts)) {
    const { missingInV1 } = await import("../v1/query/v1-queries.ts");
    const absent = await missingInV1(texts, options, trustedReferences);
    return {
      missing: absent.map(text => ({ image: text, target: text })),
      present: new Set(texts).size - absent.length,
    };
  }
  const reached = mapping === undefined ? texts.map(hostOf) : [mapping.registry];
  const trusted = mapping === undefined ? (trustedReferences ?? texts).map(hostOf) : [mapping.registry];
  await using registries = new RegistryPool(options, trusted, options.onProgress ?? (() => undefined));
  registries.admit(reached);
  const wanted = requested.map(image => wantedOf(image, mapping, registry));
  const found = await presence(wanted, registries, options);
  const missing = new Map<string, MissingImage>();
  for (const [index, { image, at, glob }] of wanted.entries()) {
    const line = formatRequested(image);
    const target = formatReference({ ...at, ...(glob === undefined ? {} : { tag: glob }) });
    const other = found[index];
    if (other === true || missing.has(line)) continue;
    missing.set(line, { image: line, target, ...(typeof other === "string" ? { found: other } : {}) });
  }
  return { missing: [...missing.values()], present: found.filter(state => state === true).length };
}

/** @throws UsageError for options that need a target. */
function mappingOf(options: MissingImagesOptions): ImageMapping | undefined {
  const { to, layout, map } = options;
  if (to !== undefined) {
    const { registry, repository } = parsePrefix("look for images below", to);
    return { registry, prefix: repository, ...readMapping(options) };
  }
  if (layout === undefined && map === undefined) return undefined;
  const option = layout === undefined ? "map" : "layout";
  throw new UsageError(`Cannot use ${option}: no target named, expected "to" with HOST/PREFIX`);
}

function wantedOf(
  image: RequestedImage,
  mapping: ImageMapping | undefined,
  registry: RemoteOptions["registry"],
): Wanted {
  const { reference } = image;
  if (!hasGlob(reference)) {
    const resolved = resolveImage(image, registry);
    const { reference: own, name = own } = resolved;
    return { image, at: placeOf(mapping === undefined ? own : mapImageName(placeOf(name), mapping)) };
  }
  const { tag = "*", ...glob } = parseGlob(reference);
  if (hasGlob(glob.repository)) {
    if (mapping === undefined)
      return { image, at: { registry: glob.registry ?? "", repository: glob.repository }, glob: tag };
    throw new UsageError(
      `Cannot look for ${quote(reference)} below a target: found wildcards in the repository, expected them in the tag alone`,
      { hint: "Only the registry of the image knows which repositories there are." },
    );
  }
  const whole = resolveImage({ ...image, reference: formatReference(glob) }, registry);
  const { registry: host, repository } = mapping === undefined ? whole.reference : (whole.name ?? whole.reference);
  const at =
    mapping === undefined ? { registry: host, repository } : mapImageName({ registry: host, repository }, mapping);
  return { image, at: placeOf(at), glob: tag };
}

/** Without what `readableReference` adds. */
function placeOf({ registry, repository, tag, digest }: Wanted["at"]): Wanted["at"] {
  return { registry, repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

async function presence(
  wanted: readonly Wanted[],
  registries: RegistryPool,
  { registry, onProgress, signal }: MissingImagesOptions,
): Promise<readonly Presence[]> {
  const hints = new Set<string>();
  const found: Presence[] = [];
  const asked = new Map<string, Promise<Presence>>();
  await using group = new TaskGroup(CONCURRENCY, signal);
  for (const [index, one] of wanted.entries()) {
    await group.room();
    void group.start(async stop => {
      const key = JSON.stringify([one.at, one.glob, lockedDigest(one.image), one.image.written]);
      const known = asked.get(key) ?? isThere(one, registries, registry, hint => hints.add(hint), stop);
      asked.set(key, known);
      found[index] = await known;
    });
  }
  await group.ended();
  for (const hint of hints) noteTo(onProgress)(hint);
  return found;
}

/** What the tag has to mean, which has no digest itself. */
function lockedDigest({ reference, name, digest }: RequestedImage): string | undefined {
  return digest ?? (name === undefined ? undefined : parseReference(reference).digest);
}

async function isThere(
  { image, at, glob }: Wanted,
  registries: RegistryPool,
  registry: RemoteOptions["registry"],
  onHint: (hint: string) => void,
  signal: AbortSignal,
): Promise<Presence> {
  try {
    return await readingAnswer(async () => {
      if (glob !== undefined && hasGlob(at.repository)) {
        const { reference } = image;
        return (await expandReferences([{ reference }], registries, { registry, signal })).length > 0;
      }
      const repository = await registries.repositoryFor(at, signal);
      if (glob !== undefined) {
        return (await registries.tagLists.tagsOf(repository, signal)).some(tag => matchesTag(glob, tag));
      }
      // What a lock names is there if the tag has its digest, or the one that its archive has.
      const digest = lockedDigest(image);
      const found = await resolveDigest(repository, at.digest ?? at.tag ?? "latest", signal);
      return digest === undefined || [digest, image.written].includes(found.digest) || found.digest;
    });
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    if (glob !== undefined) return false;
    const client = await registries.clientFor(at.registry, signal);
    const hint = await v1Hint(client, error, `write v1://${at.registry}/…`, signal);
    if (hint !== undefined) onHint(hint);
    return false;
  }
}
