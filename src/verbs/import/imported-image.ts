import { bytesBlob } from "../../content/blob.ts";
import type { BlobSource, ImageSource, ManifestDraft, Root, SettledRoot } from "../../content/contracts.ts";
import { draftManifest, isPending } from "../../content/draft-manifest.ts";
import { ArchiveError } from "../../errors.ts";
import { buildImageConfig } from "../../oci/build-config.ts";
import { type Descriptor, describeBytes } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { DOCKER_CONFIG, DOCKER_MANIFEST, OCI_CONFIG, OCI_MANIFEST } from "../../oci/media-types.ts";
import type { ImportRun, KnownLayer } from "./import-layers.ts";

/** The image of one layer. */
export interface DraftedImage {
  readonly config: Descriptor;
  readonly source: ImageSource;
  draft(names: readonly string[]): Root;
  /** @throws InternalError while the layer has no digest. */
  settled(names: readonly string[]): SettledRoot;
}

export function importedImage(run: ImportRun, { diffId, layer, blob }: KnownLayer): DraftedImage {
  const { settings, author, message, target, input } = run;
  const configBytes = buildImageConfig({
    ...settings,
    author,
    diffId,
    createdBy: "imgpack import",
    comment: message,
  });
  const config = describeBytes(target.isDocker ? DOCKER_CONFIG : OCI_CONFIG, configBytes);
  const draft: ManifestDraft = { mediaType: target.isDocker ? DOCKER_MANIFEST : OCI_MANIFEST, config, layers: [layer] };
  const blobs = new Map<Digest, BlobSource>([[config.digest, bytesBlob(configBytes)]]);
  if (!isPending(layer) && blob !== undefined) blobs.set(layer.digest, blob);
  return {
    config,
    source: {
      async *roots() {
        yield { kind: "draft", names: [], draft };
      },
      async blob({ digest }) {
        const found = blobs.get(digest);
        if (found !== undefined) return found;
        throw new ArchiveError("missing-blob", `Cannot read blob ${digest} from ${input.what}: no such blob`);
      },
      confirm: async () => await input.confirm(),
      async [Symbol.asyncDispose]() {},
    },
    draft: names => ({ kind: "draft", names, draft }),
    settled(names) {
      const manifest = draftManifest(draft, new Map());
      const descriptor = describeBytes(manifest.mediaType, manifest.bytes);
      blobs.set(descriptor.digest, bytesBlob(manifest.bytes));
      return { kind: "settled", names, descriptor };
    },
  };
}
