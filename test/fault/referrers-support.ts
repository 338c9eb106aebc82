import { ANNOTATION_IMAGE_NAME } from "../../src/oci/annotations.ts";

/** The names of the entries in `index.json` of a tar; "" for one without. */
export function archiveNames(tar: Buffer): readonly string[] {
  const start = tar.indexOf('{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests"');
  const text = tar.subarray(start, tar.indexOf(0, start)).toString("utf8");
  const index = JSON.parse(text) as { manifests: { annotations?: Record<string, string> }[] };
  return index.manifests.map(({ annotations }) => annotations?.[ANNOTATION_IMAGE_NAME] ?? "");
}

export interface FoundLock {
  readonly images: readonly object[];
  readonly blobs: readonly (readonly [string, number, string, readonly string[]])[];
}

/** The `imgpack.json` of a tar. */
export function lockIn(tar: Buffer): FoundLock {
  const start = tar.indexOf('{"format":"imgpack-lock"');
  return JSON.parse(tar.subarray(start, tar.indexOf(0, start)).toString("utf8")) as FoundLock;
}
