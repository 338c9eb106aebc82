// Archives of a scene, as files.

import { formatLock } from "../../../src/bundle/lock/format-lock.ts";
import { archiveOf, type Bundle, deltaOf, type Places, volumesOf } from "../bundle-files.ts";
import type { Scene } from "./page-content.ts";

export function sceneBundle({ lock, blobs, roots }: Scene): Bundle {
  return {
    lock,
    blobs: new Map([...blobs].map(([digest, { bytes = Buffer.alloc(0) }]) => [digest, bytes])),
    roots: roots.map(({ repository, tag, ...descriptor }) => ({
      ...descriptor,
      ...(tag === undefined
        ? {}
        : {
            annotations: {
              "org.opencontainers.image.ref.name": tag,
              "io.containerd.image.name": `${repository}:${tag}`,
            },
          }),
    })),
  };
}

export function sceneArchive(scene: Scene): Uint8Array {
  const bundle = sceneBundle(scene);
  return archiveOf(bundle, formatLock(scene.lock), bundle.blobs, [], bundle.roots);
}

export function sceneVolumes(scene: Scene, of: number, places: Places): readonly Uint8Array[] {
  return volumesOf(sceneBundle(scene), of, places);
}

/** Without the layers that the base has. */
export function sceneDelta(scene: Scene, base: Scene): Uint8Array {
  const common = [...scene.blobs].filter(([digest, { kind }]) => kind === "layer" && base.blobs.has(digest));
  return deltaOf(sceneBundle(scene), new Set(common.map(([digest]) => digest)), [base.lock.id]);
}
