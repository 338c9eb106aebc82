import type { Catalogue, ListedImage } from "../model/catalogue.ts";
import { plainFileName } from "./fault-words.ts";

/** What programs get of all images, in a form that stays: fields are added, and none changes. */
export function catalogueData(
  { bundle, id, totals }: Catalogue,
  images: readonly ListedImage[],
  host: string,
): unknown {
  const volumes = bundle?.volumes;
  return {
    ...(bundle === undefined
      ? {}
      : {
          bundle: {
            id: id ?? null,
            files: bundle.files.map(({ name, size, volume }) => ({ name: plainFileName(name), size, volume })),
            ...(volumes === undefined ? {} : { volumes: { of: volumes.of, missing: volumes.missing } }),
          },
        }),
    totals,
    images: images.map(image => imageData(image, host)),
  };
}

export function imageData(image: ListedImage, host: string): Readonly<Record<string, unknown>> {
  const { name, tag, digest, mediaType, repository, artifactType, bytes, ownBytes, signatures } = image;
  return {
    name,
    digest,
    mediaType,
    pull: `${host}/${repository}${tag === undefined ? `@${digest}` : `:${tag}`}`,
    ...(artifactType === undefined ? {} : { artifactType }),
    bytes,
    ownBytes,
    signatures,
    platforms: image.platforms.map(({ label, ...rest }) => ({ platform: label, ...rest })),
    attached: image.attached,
    broken: image.broken,
  };
}
