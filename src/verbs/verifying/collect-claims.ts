import type { ArchiveSource } from "../../archive/open-archive.ts";
import type { Root } from "../../content/contracts.ts";
import { readBlob } from "../../content/pump.ts";
import { gather } from "../../copy/gather.ts";
import { wrongSizes } from "../../copy/plan-notes.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { publisherOf } from "../../oci/foreign-layer.ts";
import { parseDiffIds } from "../../oci/image-config.ts";
import { type ImageParts, isArtifact } from "../../oci/is-artifact.ts";
import { MAX_CONFIG_BYTES } from "../../oci/limits.ts";
import { isForeignLayerType } from "../../oci/media-types.ts";
import type { ArchiveFault } from "./archive-fault.ts";

/** What the metadata of the archive says about a blob. */
export interface Claim {
  readonly descriptor: Descriptor;
  readonly diffIds: Set<Digest>;
}

/**
 * All blobs that the metadata of an archive names, and those in it that nothing names.
 *
 * @param withDiffIds false reads no configs: claims then have no diff_ids. Default true.
 */
export async function collectClaims(
  archive: ArchiveSource,
  faults: ArchiveFault[],
  unchecked: string[],
  onNote: (message: string) => void,
  signal: AbortSignal | undefined,
  withDiffIds: boolean = true,
  onImage: () => void = () => undefined,
): Promise<Map<Digest, Claim>> {
  const claims = new Map<Digest, Claim>();
  const foreign = new Set<Digest>();
  const claim = (descriptor: Descriptor, diffId?: Digest): void => {
    if (isForeignLayerType(descriptor.mediaType) && !archive.hasBlob(descriptor.digest)) {
      if (!foreign.has(descriptor.digest))
        unchecked.push(`foreign layer ${descriptor.digest}: not in the archive${publisherOf(descriptor)}`);
      foreign.add(descriptor.digest);
      return;
    }
    const known = claims.get(descriptor.digest) ?? { descriptor, diffIds: new Set() };
    if (diffId !== undefined) known.diffIds.add(diffId);
    claims.set(descriptor.digest, known);
  };
  const claimImage = async (image: ImageParts): Promise<void> => {
    claim(image.config);
    const diffIds = isArtifact(image) || !withDiffIds ? [] : await readDiffIds(archive, image.config, signal);
    for (const [index, layer] of image.layers.entries()) claim(layer, diffIds[index]);
  };
  const absent = new Set<Digest>();
  for (const root of archive.images) {
    onImage();
    if (root.kind === "draft") {
      const { config, layers } = root.draft;
      await claimImage({ config, layers: layers.flatMap(layer => ("key" in layer ? [] : [layer])) });
    } else await claimGraph(archive, root.descriptor, { claim, claimImage, faults, absent, onNote }, signal);
  }
  if (absent.size > 0) unchecked.push(absentText(absent));
  for (const descriptor of archive.oci?.blobs.unclaimed(new Set(claims.keys())) ?? []) claim(descriptor);
  return claims;
}

interface Collecting {
  readonly claim: (descriptor: Descriptor) => void;
  readonly claimImage: (image: ImageParts) => Promise<void>;
  readonly faults: ArchiveFault[];
  /** Images that indexes list and the archive does not contain. */
  readonly absent: Set<Digest>;
  readonly onNote: (message: string) => void;
}

async function claimGraph(
  archive: ArchiveSource,
  descriptor: Descriptor,
  { claim, claimImage, faults, absent, onNote }: Collecting,
  signal: AbortSignal | undefined,
): Promise<void> {
  const root: Root = { kind: "settled", names: [], descriptor };
  try {
    const plan = await gather(archive, [root], signal, undefined, ({ digest }) => absent.add(digest));
    for (const message of wrongSizes(plan)) onNote(message);
    for (const { descriptor: found, view } of plan.manifests.values()) {
      claim(found);
      if (view.kind === "other") for (const blob of view.blobs) claim(blob);
      if (view.kind !== "image") continue;
      // Docker's containerd store saves only the manifest of a platform that it does not contain.
      const isBelowIndex = found.digest !== descriptor.digest;
      if (isBelowIndex && !archive.hasBlob(view.config.digest)) absent.add(found.digest);
      else await claimImage(view);
    }
  } catch (error) {
    signal?.throwIfAborted();
    faults.push({
      kind: "unreadable",
      blob: descriptor.digest,
      found: "no readable manifest",
      expected: "one",
      message: error instanceof Error ? error.message : String(error),
    });
  }
}

/** An archive of one platform has most images of many indexes not. */
function absentText(absent: ReadonlySet<Digest>): string {
  const [first = ""] = absent;
  return absent.size === 1
    ? `image ${first}: its index lists it, but the archive does not contain it`
    : `${absent.size} images, such as ${first}: their indexes list them, but the archive does not contain them`;
}

async function readDiffIds(
  archive: ArchiveSource,
  config: Descriptor,
  signal: AbortSignal | undefined,
): Promise<readonly Digest[]> {
  try {
    const bytes = await readBlob(await archive.blob(config, signal), MAX_CONFIG_BYTES, signal);
    return parseDiffIds(bytes, `config ${config.digest}`);
  } catch {
    // A missing or altered config is reported when it is hashed.
    return [];
  }
}
