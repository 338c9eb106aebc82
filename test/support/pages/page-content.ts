// Images with names, steps and sizes like those of a real bundle, for pages. Their layers are small tars, or nothing but a size.
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { lockOf } from "../../../src/bundle/lock/format-lock.ts";
import type { Lock, LockedImage, LockedKind } from "../../../src/bundle/lock/lock.ts";
import type { Descriptor } from "../../../src/oci/descriptor.ts";
import type { Digest } from "../../../src/oci/digest.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import { OCI_CONFIG, OCI_EMPTY, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from "../../../src/oci/media-types.ts";
import { tarArchive, tarEntry } from "../tar-builder.ts";

/** A step of a build. `size`: compressed bytes of its layer, as claimed; without it, it has none. */
export interface SceneStep {
  readonly by: string;
  readonly size?: number;
  /** The bytes of the layer, if they matter. */
  readonly tar?: Uint8Array;
}

export interface SceneImage {
  /** `registry/path` */
  readonly repository: string;
  readonly tag: string;
  /** Default linux/amd64 alone. */
  readonly platforms?: readonly string[];
  /** Platforms that the index names and that are not carried. */
  readonly leftOut?: readonly string[];
  /** Layers are shared between images that have a step of the same words, size and platform. */
  readonly steps: readonly SceneStep[];
  readonly config?: object;
  readonly annotations?: Readonly<Record<string, string>>;
  /** A Helm chart, or what another type is. */
  readonly artifactType?: string;
  readonly signatures?: number;
  readonly sbom?: boolean;
  /** What the source registry said of referrers. */
  readonly lookup?: LockedImage["lookup"];
}

export interface SceneBlob {
  readonly size: number;
  readonly kind: LockedKind;
  readonly mediaType: string;
  /** Absent for a layer of which only the size matters. */
  readonly bytes: Buffer | undefined;
  readonly repositories: Set<string>;
}

export interface SceneRoot extends Descriptor {
  readonly repository: string;
  readonly tag: string | undefined;
}

export interface Scene {
  readonly blobs: ReadonlyMap<Digest, SceneBlob>;
  readonly roots: readonly SceneRoot[];
  readonly lock: Lock;
}

/** @param hasBytes whether layers are real ones, however large they claim to be */
export function sceneOf(images: readonly SceneImage[], hasBytes: boolean, more: Partial<Lock> = {}): Scene {
  const builder = new SceneBuilder(hasBytes);
  for (const image of images) builder.add(image);
  return builder.scene(more);
}

class SceneBuilder {
  readonly #hasBytes: boolean;
  readonly #blobs = new Map<Digest, SceneBlob>();
  readonly #roots: SceneRoot[] = [];
  readonly #images: LockedImage[] = [];

  constructor(hasBytes: boolean) {
    this.#hasBytes = hasBytes;
  }

  add(image: SceneImage): void {
    const { repository, tag, platforms = ["linux/amd64"], leftOut = [], lookup = "complete" } = image;
    const manifests = platforms.map(platform => ({
      ...this.#manifest(image, platform),
      platform: platformOf(platform),
    }));
    const absent = leftOut.map(platform => ({
      mediaType: OCI_MANIFEST,
      digest: digestOf(Buffer.from(`${repository}:${tag} ${platform}`)),
      size: 1000,
      platform: platformOf(platform),
    }));
    const [only] = manifests;
    const isSingle = manifests.length === 1 && absent.length === 0 && only !== undefined;
    const { platform: _, ...single } = only ?? { platform: undefined };
    const root = isSingle
      ? (single as Descriptor)
      : this.#document(repository, OCI_INDEX, "manifest", {
          schemaVersion: 2,
          mediaType: OCI_INDEX,
          manifests: [...manifests, ...absent],
        });
    this.#roots.push({ ...root, repository, tag });
    const referrers = this.#referrers(image, root);
    const below = manifests.map(({ digest }) => digest);
    this.#images.push({
      name: `${repository}:${tag}`,
      digest: root.digest,
      manifests: [...new Set([root.digest, ...below])].sort(),
      absent: [...leftOut].sort(),
      referrers,
      lookup,
    });
  }

  scene(more: Partial<Lock>): Scene {
    const blobs = [...this.#blobs].map(([digest, { size, kind, repositories }]) => {
      return { digest, size, kind, repositories: [...repositories].sort() };
    });
    const contents = { platforms: ["all"], sparse: "keep", referrers: true, left: [], ...more } as const;
    return { blobs: this.#blobs, roots: this.#roots, lock: lockOf({ ...contents, images: this.#images, blobs }) };
  }

  #manifest(image: SceneImage, platform: string): Descriptor {
    const { repository, steps, artifactType, annotations } = image;
    const layers = steps.flatMap(step => (step.size === undefined ? [] : [this.#layer(repository, step, platform)]));
    if (artifactType !== undefined) {
      const config = this.#document(repository, artifactType, "config", { name: repository });
      const typed = layers.map(layer => ({
        ...layer,
        mediaType: artifactType.replace("config", "chart.content"),
        annotations: { "org.opencontainers.image.title": "chart.tgz" },
      }));
      return this.#document(repository, OCI_MANIFEST, "manifest", {
        schemaVersion: 2,
        mediaType: OCI_MANIFEST,
        config,
        layers: typed,
        annotations,
      });
    }
    const { os, architecture, variant } = platformOf(platform);
    const config = this.#document(repository, OCI_CONFIG, "config", {
      created: "2026-11-03T09:41:07Z",
      os,
      architecture,
      ...(variant === undefined ? {} : { variant }),
      config: image.config ?? {
        Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        Cmd: ["bash"],
      },
      rootfs: { type: "layers", diff_ids: layers.map(({ digest }) => digest) },
      history: steps.map(({ by, size }) => ({ created_by: by, ...(size === undefined ? { empty_layer: true } : {}) })),
    });
    return this.#document(repository, OCI_MANIFEST, "manifest", {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config,
      layers,
      annotations,
    });
  }

  #layer(repository: string, { by, size: exactSize = 0, tar }: SceneStep, platform: string): Descriptor {
    const size = Math.round(exactSize);
    const seed = `${platform} ${by} ${size}`;
    const bytes = tar ?? tarArchive([tarEntry({ name: "etc/step", body: seed }), tarEntry({ name: "etc/.wh.old" })]);
    if (this.#hasBytes) return this.#blob(repository, OCI_LAYER_GZIP, "layer", gzipSync(bytes));
    const digest: Digest = `sha256:${createHash("sha256").update(seed).digest("hex")}`;
    this.#note(repository, digest, { size, kind: "layer", mediaType: OCI_LAYER_GZIP, bytes: tar && Buffer.from(tar) });
    return { mediaType: OCI_LAYER_GZIP, digest, size };
  }

  #referrers(image: SceneImage, { mediaType, digest, size }: Descriptor): LockedImage["referrers"] {
    const { repository, signatures = 0, sbom = false } = image;
    const types = [
      ...Array.from({ length: signatures }, (_, index) => [
        "application/vnd.dev.sigstore.bundle.v0.3+json",
        `signature ${index}`,
      ]),
      ...(sbom ? [["application/spdx+json", "bill"]] : []),
    ] as const;
    return types.map(([artifactType = "", text]) => {
      const config = this.#document(repository, OCI_EMPTY, "config", {});
      const layer = this.#blob(repository, artifactType, "layer", Buffer.from(`${text} of ${digest}`));
      const subject = { mediaType, digest, size };
      const body = { schemaVersion: 2, mediaType: OCI_MANIFEST, artifactType, config, layers: [layer], subject };
      const referrer = this.#document(repository, OCI_MANIFEST, "manifest", body);
      this.#roots.push({ ...referrer, artifactType, repository, tag: undefined });
      return { digest: referrer.digest, subject: digest, type: artifactType };
    });
  }

  #document(repository: string, mediaType: string, kind: LockedKind, content: object): Descriptor {
    return this.#blob(repository, mediaType, kind, Buffer.from(JSON.stringify(content)));
  }

  #blob(repository: string, mediaType: string, kind: LockedKind, bytes: Buffer): Descriptor {
    const digest = digestOf(bytes);
    this.#note(repository, digest, { size: bytes.length, kind, mediaType, bytes });
    return { mediaType, digest, size: bytes.length };
  }

  #note(repository: string, digest: Digest, blob: Omit<SceneBlob, "repositories">): void {
    const known = this.#blobs.get(digest) ?? { ...blob, repositories: new Set<string>() };
    known.repositories.add(repository);
    this.#blobs.set(digest, known);
  }
}

function platformOf(text: string): { readonly os: string; readonly architecture: string; readonly variant?: string } {
  const [os = "", architecture = "", variant] = text.split("/");
  return variant === undefined ? { os, architecture } : { os, architecture, variant };
}
