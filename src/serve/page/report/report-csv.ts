import { formatCsv } from "../../../util/csv/format-csv.ts";
import { escapeForeign } from "../../../util/format.ts";
import type { TransferImage, TransferPlatform, TransferReport } from "./transfer-report.ts";

const COLUMNS = [
  "state",
  "name",
  "digest",
  "platform",
  "platform_digest",
  "created",
  "platform_bytes",
  "image_bytes",
  "image_new_bytes",
  "signatures",
  "verified",
  "sboms",
  "attestations",
  "license",
  "artifact",
  "was",
] as const;
type Column = (typeof COLUMNS)[number];

/** Characters of a label; a spreadsheet takes 32 767 in a cell. */
const MAX_CHARACTERS = 4096;

/**
 * A line for each image and platform (RFC 4180). The bytes of an image are on its first line alone, so that a column adds up.
 * No cell is a formula, and nothing in it reorders or hides text.
 */
export function reportCsv({ images }: Pick<TransferReport, "images">): string {
  return formatCsv([
    COLUMNS,
    ...images.flatMap(image =>
      image.platforms.length === 0
        ? [line(image, undefined, true)]
        : image.platforms.map((platform, index) => line(image, platform, index === 0)),
    ),
  ]);
}

function line(image: TransferImage, platform: TransferPlatform | undefined, isFirst: boolean): readonly string[] {
  const { referrers } = image;
  const cells: Readonly<Record<Column, string | number | undefined>> = {
    state: image.state,
    name: image.name,
    digest: image.digest,
    platform: platform?.platform,
    platform_digest: platform?.digest,
    created: platform?.created,
    platform_bytes: platform?.bytes,
    image_bytes: isFirst ? image.bytes : undefined,
    image_new_bytes: isFirst ? image.newBytes : undefined,
    signatures: image.state === "gone" ? undefined : referrers.signatures,
    verified: referrers.verified,
    sboms: image.state === "gone" ? undefined : referrers.sboms,
    attestations: image.state === "gone" ? undefined : referrers.attestations,
    license: platform?.licenses,
    artifact: image.artifact,
    was: image.was?.join(" "),
  };
  return COLUMNS.map(column => escapeForeign(String(cells[column] ?? ""), MAX_CHARACTERS));
}
