import { type SyntheticLayer, SyntheticLayers, sha256 } from "./synthetic-layers.ts";
import { SYNTHETIC_SHAPE, type SyntheticShape } from "./synthetic-shape.ts";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const CONFIG = "application/vnd.oci.image.config.v1+json";
const EMPTY = Buffer.from("{}");
const FILLER_BYTES = 64 * 1024;
/** What comes before the number in the name of a repository. */
const PREFIX = "synthetic/app-";

export interface SyntheticDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
}

export interface SyntheticManifest {
  readonly descriptor: SyntheticDescriptor;
  readonly bytes: Buffer;
}

/** Makes the bytes of a blob; zeros are given by their number alone. */
export type SyntheticBlob = () => Buffer | { readonly zeros: number } | undefined;

/** The images of a synthetic registry: made from their number when they are needed. */
export class SyntheticImages {
  readonly shape: SyntheticShape;
  readonly #layers: SyntheticLayers;
  readonly #images: SyntheticManifest[] = [];
  readonly #referrers = new Map<string, readonly SyntheticManifest[]>();
  readonly #manifests = new Map<string, SyntheticManifest>();
  readonly #blobs = new Map<string, SyntheticBlob>([[sha256(EMPTY), () => EMPTY]]);
  readonly #shared = new Map<number, SyntheticLayer>();
  /** All images before it are made. */
  #next = 0;

  constructor(shape: Partial<SyntheticShape> = {}) {
    this.shape = { ...SYNTHETIC_SHAPE, ...shape };
    this.#layers = new SyntheticLayers(this.shape);
  }

  /** Number of images. */
  get count(): number {
    return this.shape.repositories * this.shape.tagsPerRepository;
  }

  repository(number: number): string {
    return `${PREFIX}${String(number).padStart(5, "0")}`;
  }

  tag(number: number): string {
    return `1.${String(number).padStart(5, "0")}`;
  }

  /** All names, without the host. */
  *names(): Generator<string> {
    for (let number = 0; number < this.count; number += 1) yield this.#nameOf(number);
  }

  /** @param key tag or digest */
  manifest(repository: string, key: string): SyntheticManifest | undefined {
    if (!repository.startsWith(PREFIX)) return undefined;
    if (key.includes(":")) return this.#find(this.#manifests, key);
    const { repositories, tagsPerRepository } = this.shape;
    const place = numberIn(repository, PREFIX, repositories);
    const version = numberIn(key, "1.", tagsPerRepository);
    return place < 0 || version < 0 ? undefined : this.image(place * tagsPerRepository + version);
  }

  blob(repository: string, digest: string): SyntheticBlob | undefined {
    return repository.startsWith(PREFIX) ? this.#find(this.#blobs, digest) : undefined;
  }

  /** What refers to an image; undefined for a digest that is none. */
  referrers(digest: string): readonly SyntheticManifest[] {
    return this.#find(this.#referrers, digest) ?? [];
  }

  image(number: number): SyntheticManifest {
    const known = this.#images[number];
    if (known !== undefined) return known;
    const layers = Array.from({ length: this.shape.layers }, (_, index) => this.#layer(number, index));
    const config = Buffer.from(
      JSON.stringify({
        architecture: "amd64",
        os: "linux",
        config: { Cmd: ["/app"], Labels: { number: `${number}` } },
        rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
        history: layers.map(() => ({ created_by: "COPY" })),
      }),
    );
    const manifest = this.#filled({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: described(CONFIG, config),
      layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
    });
    this.#blobs.set(sha256(config), () => config);
    return this.#keep(number, manifest);
  }

  #keep(number: number, bytes: Buffer): SyntheticManifest {
    const image = { descriptor: described(MANIFEST, bytes), bytes };
    this.#images[number] = image;
    this.#manifests.set(image.descriptor.digest, image);
    const { referrers } = this.shape;
    if (referrers === "unsupported") return image;
    const signatures = Array.from({ length: referrers }, (_, index) => signature(image.descriptor, index));
    for (const one of signatures) this.#manifests.set(one.descriptor.digest, one);
    this.#referrers.set(image.descriptor.digest, signatures);
    return image;
  }

  #layer(image: number, index: number): SyntheticLayer {
    const { layers, sharedLayers, bases } = this.shape;
    const own = layers - sharedLayers;
    const isShared = index < sharedLayers;
    const number = isShared
      ? (image % bases) * sharedLayers + index
      : bases * sharedLayers + image * own + index - sharedLayers;
    const known = this.#shared.get(number);
    if (known !== undefined) return known;
    const name = `layer ${number}`;
    const { bytes, ...layer } = this.#layers.layer(name, number);
    if (isShared) this.#shared.set(number, layer);
    this.#blobs.set(layer.digest, () => {
      if (bytes !== undefined) return this.#layers.layer(name, number).bytes;
      return this.shape.layerKind === "zeros" ? { zeros: layer.size } : undefined;
    });
    return layer;
  }

  #filled(manifest: object): Buffer {
    const bytes = Buffer.from(JSON.stringify(manifest));
    const { manifestBytes } = this.shape;
    if (manifestBytes === 0) return bytes;
    // No string of it is longer than readers take.
    const count = Math.ceil(manifestBytes / FILLER_BYTES);
    const names = Array.from({ length: count }, (_, index) => `org.example.filler-${index}`);
    const withText = (textOf: (index: number) => string): object => ({
      ...manifest,
      annotations: Object.fromEntries(names.map((name, index) => [name, textOf(index)])),
    });
    const left = Math.max(0, manifestBytes - JSON.stringify(withText(() => "")).length);
    const share = Math.floor(left / count);
    return Buffer.from(JSON.stringify(withText(index => "x".repeat(index === 0 ? left - share * (count - 1) : share))));
  }

  /** A server that was started anew has made nothing yet. */
  #find<T>(known: ReadonlyMap<string, T>, digest: string): T | undefined {
    for (; known.get(digest) === undefined && this.#next < this.count; this.#next += 1) this.image(this.#next);
    return known.get(digest);
  }

  #nameOf(number: number): string {
    const { tagsPerRepository } = this.shape;
    return `${this.repository(Math.floor(number / tagsPerRepository))}:${this.tag(number % tagsPerRepository)}`;
  }
}

function signature(subject: SyntheticDescriptor, index: number): SyntheticManifest {
  const artifactType = "application/vnd.example.signature";
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      artifactType,
      config: described("application/vnd.oci.empty.v1+json", EMPTY),
      layers: [described("application/vnd.oci.empty.v1+json", EMPTY)],
      subject,
      annotations: { "org.example.number": `${index}` },
    }),
  );
  return { descriptor: { ...described(MANIFEST, bytes), artifactType }, bytes };
}

function described(mediaType: string, bytes: Buffer): SyntheticDescriptor {
  return { mediaType, digest: sha256(bytes), size: bytes.length };
}

function numberIn(text: string, prefix: string, count: number): number {
  const [, digits] = /^(\d{5})$/.exec(text.startsWith(prefix) ? text.slice(prefix.length) : "") ?? [];
  const number = digits === undefined ? -1 : Number(digits);
  return number < count ? number : -1;
}
