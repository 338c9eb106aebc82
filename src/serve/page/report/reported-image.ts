import type { BaseBlob } from "../../../bundle/base/bundle.ts";
import type { ComparedImage } from "../../../bundle/base/compare-bundles.ts";
import type { Digest } from "../../../oci/digest.ts";
import type { ReferrerKind } from "../../../oci/referrers/referrer-kind.ts";
import type { ListedImage } from "../model/catalogue.ts";
import { artifactName } from "../views/platform-words.ts";
import type { ReadImage } from "./left-out.ts";
import type { TransferImage, TransferReferrers } from "./transfer-report.ts";

/** What keys say about the signatures of an image. */
export interface SignatureCounts {
  readonly verified: number;
  readonly refused: number;
}

/** @param row what became of it, if it was compared */
export function reportedImage(
  { image, contents }: ReadImage,
  blobs: ReadonlyMap<Digest, BaseBlob>,
  row: ComparedImage | undefined,
  checked: ReadonlyMap<Digest, SignatureCounts> | undefined,
): TransferImage {
  const { name, digest } = image;
  const was = [...new Set(row?.was.map(({ digest }) => digest))];
  return {
    name,
    digest,
    ...(row === undefined ? {} : { state: row.state }),
    ...(row?.state === "changed" ? { was } : {}),
    ...(image.isArtifact ? { artifact: artifactText(image) } : {}),
    platforms: contents.platforms,
    absent: image.platforms.flatMap(({ state, label, digest }) => (state === "left out" ? [label || digest] : [])),
    ...(contents.isWhole ? { bytes: bytesOf(contents.parts, blobs) } : {}),
    ...(contents.isWhole && row !== undefined ? { newBytes: row.bytes } : {}),
    referrers: {
      ...countedReferrers(image),
      ...(checked === undefined ? {} : (checked.get(digest) ?? { verified: 0, refused: 0 })),
    },
  };
}

export function unknownReferrers(): TransferReferrers {
  return { signatures: "unknown", sboms: "unknown", attestations: "unknown" };
}

/** None is not known to be none, unless the source said so. */
function countedReferrers({ attached, locked }: ListedImage): TransferReferrers {
  const isKnown = locked?.lookup === "complete";
  const counted = (wanted: ReferrerKind): number | "unknown" => {
    const count = attached.filter(({ kind }) => kind === wanted).length;
    return count > 0 || isKnown ? count : "unknown";
  };
  return { signatures: counted("signature"), sboms: counted("sbom"), attestations: counted("attestation") };
}

function artifactText(image: ListedImage): string {
  const name = artifactName(image);
  return name === "artifact" ? (image.artifactType ?? name) : name;
}

function bytesOf(parts: readonly (readonly Digest[])[], blobs: ReadonlyMap<Digest, BaseBlob>): number {
  const all = new Set(parts.flat());
  let bytes = 0;
  for (const digest of all) bytes += blobs.get(digest)?.size ?? 0;
  return bytes;
}
