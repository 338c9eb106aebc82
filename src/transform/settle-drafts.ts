import type { ImageSource, Root } from "../content/contracts.ts";
import { blobsOf, derivedSource } from "../content/derived-source.ts";
import { settle } from "../content/draft-manifest.ts";
import { describeBytes } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";

/**
 * Images of a docker archive, which has no manifests, get theirs: built from config and layers as they are, and served
 * from memory.
 *
 * @param manifestType of the manifests that are built; what the draft proposes without it.
 * @throws InternalError for a draft whose layers have no digest yet.
 */
export function settleDrafts(source: ImageSource, manifestType?: string): ImageSource {
  const built = new Map<Digest, Uint8Array>();
  const { stream } = source;
  return derivedSource(source, {
    async *roots(signal) {
      for await (const root of source.roots(signal)) yield settleRoot(root, manifestType, built);
    },
    blob: blobsOf(source, digest => built.get(digest)),
    stream: stream && {
      holds: digest => built.has(digest) || stream.holds(digest),
      pass: async (wanted, take, signal) => await stream.pass(wanted, take, signal),
    },
  });
}

function settleRoot(root: Root, manifestType: string | undefined, built: Map<Digest, Uint8Array>): Root {
  if (root.kind === "settled") return root;
  const { mediaType, bytes } = settle({ ...root.draft, mediaType: manifestType ?? root.draft.mediaType }, new Map());
  const descriptor = describeBytes(mediaType, bytes);
  built.set(descriptor.digest, bytes);
  return { kind: "settled", names: root.names, descriptor };
}
