import { counted, formatBytes } from "../../../util/format.ts";
import type { Pulled } from "./pull-report.ts";
import type { ReadImage } from "./read-v1-images.ts";

/** What a dry run says of images with layers that no run has read yet: their digests are not known. */
export function planUnread(images: readonly ReadImage[], onNote: (message: string) => void): Pulled {
  const sizes = new Map<string, number | undefined>();
  for (const { image } of images) for (const { key, json } of image.chain) sizes.set(key, json.size);
  const bytes = [...sizes.values()].reduce<number>((sum, size) => sum + (size ?? 0), 0);
  const unsized = [...sizes.values()].filter(size => size === undefined).length;
  const rest = unsized === 0 ? "" : `, and ${counted(unsized, "layer")} of unknown size`;
  const what = `${counted(images.length, "tag")} with ${counted(sizes.size, "layer")}, ${formatBytes(bytes)}${rest}`;
  onNote(`${what}: digests are known after the layers are read`);
  return { images: [], platforms: [], blobs: sizes.size, blobBytes: bytes };
}
