import { readManifestBytes } from "../../content/read-manifest-bytes.ts";
import { IntegrityError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import type { LayoutRoot } from "../../oci/layout.ts";
import { MAX_INDEX_DEPTH } from "../../oci/limits.ts";
import { parseManifest } from "../../oci/manifest.ts";
import { isManifestType } from "../../oci/media-types.ts";
import type { OpenArchiveOptions } from "../open/open-archive-options.ts";
import { inFileOrder } from "./in-file-order.ts";
import { type ManifestFacts, manifestFacts } from "./manifest-facts.ts";
import type { NamedBlobs } from "./named-blobs.ts";
import type { OciView } from "./oci-view.ts";

const MAX_MANIFESTS = 100_000;

/** An entry of `index.json`, with its images and manifests in the archive. */
export interface OciRoot extends LayoutRoot {
  /** Number of layers by config digest, for every image manifest below that is present. */
  readonly images: ReadonlyMap<Digest, number>;
  /** Digests of the configs of artifacts, which `images` contains as well. */
  readonly artifacts: ReadonlySet<Digest>;
  /** Manifests below it that are present. */
  readonly parts: ReadonlySet<Digest>;
  /** The manifest that its own manifest refers to. */
  readonly subject?: Digest;
  /** Entries of its own manifest, if that is an index. */
  readonly listed: readonly Descriptor[];
}

/**
 * Follows the entries of an `index.json` to their images. Absent manifests are skipped: a sparse index is normal.
 *
 * @param onDamage as in OpenArchiveOptions.
 * @param named gets what the manifests name.
 * @throws IntegrityError for a manifest that is not what its digest says; ArchiveError as `parseManifest`.
 */
export async function readOciRoots(
  { index, blobs }: OciView,
  what: string,
  onDamage?: OpenArchiveOptions["onDamage"],
  signal?: AbortSignal,
  named?: NamedBlobs,
): Promise<readonly OciRoot[]> {
  const source = { blob: async (descriptor: Descriptor) => blobs.blob(descriptor) };
  const facts = new Map<Digest, () => ManifestFacts | undefined>();
  const isPresent = ({ digest, mediaType }: Descriptor): boolean => isManifestType(mediaType) && blobs.has(digest);
  const read = async (descriptor: Descriptor): Promise<ManifestFacts> => {
    const { digest, mediaType } = descriptor;
    const bytes = await readManifestBytes(source, descriptor, what, signal);
    const view = parseManifest(bytes, { announced: mediaType, where: `${digest} in ${what}` });
    named?.add(view, one => blobs.has(one));
    return manifestFacts(view);
  };
  let level: readonly Descriptor[] = index.roots.map(root => root.descriptor);
  for (let depth = 1; depth <= MAX_INDEX_DEPTH && level.length > 0; depth += 1) {
    const unread = level.filter(one => isPresent(one) && !facts.has(one.digest));
    const wanted = [...new Map(unread.map(one => [one.digest, one])).values()];
    const found = await inFileOrder(wanted, ({ digest }) => blobs.entry(digest), read, signal);
    for (const [at, { digest }] of wanted.entries()) facts.set(digest, found[at] ?? noFacts);
    level = found.flatMap(each => readable(each)?.children ?? []);
  }
  const roots: OciRoot[] = [];
  for (const root of index.roots) {
    const images = new Map<Digest, number>();
    const artifacts = new Set<Digest>();
    const seen = new Set<Digest>();
    const walk = (descriptor: Descriptor, depth: number): void => {
      const { digest } = descriptor;
      if (!isPresent(descriptor) || seen.has(digest)) return;
      // Deeper or wider graphs are refused when the copy is planned.
      if (depth > MAX_INDEX_DEPTH || seen.size > MAX_MANIFESTS) return;
      seen.add(digest);
      let found: ManifestFacts | undefined;
      try {
        found = facts.get(digest)?.();
      } catch (error) {
        if (onDamage === undefined || !(error instanceof IntegrityError)) throw error;
        onDamage(digest, error);
        return;
      }
      if (found?.config !== undefined) {
        images.set(found.config, found.layers);
        if (found.isArtifact) artifacts.add(found.config);
      }
      for (const child of found?.children ?? []) walk(child, depth + 1);
    };
    walk(root.descriptor, 1);
    seen.delete(root.descriptor.digest);
    const { subject, listed = [] } = readable(facts.get(root.descriptor.digest)) ?? {};
    const held = { images, artifacts: sharedSet(artifacts), parts: sharedSet(seen), listed };
    roots.push({ ...root, ...held, ...(subject === undefined ? {} : { subject }) });
  }
  return roots;
}

const NO_DIGESTS: ReadonlySet<Digest> = new Set();

/** Most roots are images: an empty set for each takes more memory than their names. */
function sharedSet(set: ReadonlySet<Digest>): ReadonlySet<Digest> {
  return set.size === 0 ? NO_DIGESTS : set;
}

function noFacts(): undefined {}

/** Why a manifest cannot be read counts only where a root leads to it. */
function readable(facts: (() => ManifestFacts | undefined) | undefined): ManifestFacts | undefined {
  try {
    return facts?.();
  } catch {
    return undefined;
  }
}
