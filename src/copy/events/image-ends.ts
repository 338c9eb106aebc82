import type { CopyPlan, Root } from "../../content/contracts.ts";
import { isPending } from "../../content/draft-manifest.ts";
import type { BlobLabel, OnProgress } from "../../content/progress.ts";
import { manifestChildren } from "../../oci/manifest.ts";
import { appendTo } from "../../util/append.ts";
import { labelOf } from "../blob-label.ts";
import { manifestsBelow } from "../manifests-below.ts";

export interface ImageEnds {
  /** The listener, which gets events of images, too. */
  readonly onProgress: OnProgress;
  /** To be called when all is written. */
  readonly end: () => void;
}

interface Waiting {
  readonly name: string;
  /** That are not there yet. */
  readonly blobs: Set<BlobLabel>;
  isThere: boolean;
}

/** Reports the images of a plan that go to one output: each when the last of its blobs is there. */
export function reportImageEnds(plan: CopyPlan, onProgress: OnProgress = () => undefined): ImageEnds {
  const images = plan.roots.map(
    (root): Waiting => ({ name: nameOf(root), blobs: new Set(blobsOf(plan, root)), isThere: false }),
  );
  const waiting = new Map<BlobLabel, Waiting[]>();
  for (const image of images) for (const blob of image.blobs) appendTo(waiting, blob, image);
  const report = (image: Waiting): void => {
    if (image.isThere) return;
    image.isThere = true;
    onProgress({ kind: "image", name: image.name, state: "done" });
  };
  onProgress({ kind: "planned", images: images.length, blobs: 0, bytes: 0 });
  return {
    onProgress(event) {
      onProgress(event);
      const isThere = event.kind === "done" || (event.kind === "skipped" && event.reason !== "kept");
      if (!isThere) return;
      for (const image of waiting.get(event.blob) ?? []) {
        image.blobs.delete(event.blob);
        if (image.blobs.size === 0) report(image);
      }
      waiting.delete(event.blob);
    },
    end() {
      // What another volume has, or an earlier step has counted, has no events.
      for (const image of images) report(image);
    },
  };
}

function nameOf(root: Root): string {
  return root.names[0] ?? (root.kind === "draft" ? root.draft.config.digest : root.descriptor.digest);
}

function blobsOf(plan: CopyPlan, root: Root): readonly BlobLabel[] {
  if (root.kind === "draft")
    return [root.draft.config.digest, ...root.draft.layers.map(one => (isPending(one) ? labelOf(one) : one.digest))];
  const tops = [root.descriptor, ...(root.referrers?.found ?? []).map(({ descriptor }) => descriptor)];
  return tops.flatMap(top =>
    [...manifestsBelow(plan, top)].flatMap(({ view }) =>
      view.kind === "index" ? [] : manifestChildren(view).map(({ digest }) => digest),
    ),
  );
}
