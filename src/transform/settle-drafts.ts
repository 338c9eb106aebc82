import type { ImageSource, Root } from "../content/contracts.ts";
import { blobsOf, derivedSource } from "../content/derived-source.ts";
import { draftManifest } from "../content/draft-manifest.ts";
import { describeBytes } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";

/**
 * Gives images of a docker archive, which has no manifests, manifests in memory: built from config and layers as they are.
 *
 * @param manifestType media type of these manifests (default: what the draft proposes).
 * @throws InternalError for a draft whose layers have no digest yet.
 */
export function settleDrafts(source: ImageSource, manifestType?: string): ImageSource {
  const built = new Map<Digest, Uint8Array>();
  const { streamed } = source;
  return derivedSource(source, {
    async *roots(signal) {
      for await (const root of source.roots(signal)) yield settleRoot(root, manifestType, built);
    },
    blob: blobsOf(source, digest => built.get(digest)),
    streamed: streamed && {
      holds: digest => built.has(digest) || streamed.holds(digest),
      read: async (wanted, handle, signal) => await streamed.read(wanted, handle, signal),
    },
  });
}

function settleRoot(root: Root, manifestType: string | undefined, built: Map<Digest, Uint8Array>): Root {
  if (root.kind === "settled") return root;
  const draft = { ...root.draft, mediaType: manifestType ?? root.draft.mediaType };
  const { mediaType, bytes } = draftManifest(draft, new Map());
  const descriptor = describeBytes(mediaType, bytes);
  built.set(descriptor.digest, bytes);
  return { kind: "settled", names: root.names, badNames: root.badNames, descriptor };
}
