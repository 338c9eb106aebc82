import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { LOCK_FILE } from "../../src/bundle/lock/format-lock.ts";
import type { Lock } from "../../src/bundle/lock/lock.ts";
import { parseLock } from "../../src/bundle/lock/parse-lock.ts";
import { type PullOptions, type PullResult, pull } from "../../src/index.ts";
import { indexTar } from "../../src/tar/tar-index.ts";
import { type StoredImage, seededBytes, storeImage } from "../support/images.ts";
import { ScriptedRegistry, type ScriptOptions } from "../support/scripted-registry.ts";

const KIB = 1024;
/** The largest layer is larger than a volume. */
const LAYERS: readonly Buffer[] = [60, 60, 60, 330, 20].map((kib, index) => seededBytes(`volume ${index}`, kib * KIB));
/** Layers of each image. */
const IMAGES: readonly (readonly number[])[] = [[0, 1], [0, 2], [3], [4, 0]];
export const VOLUME_BYTES: number = 170 * KIB;

export interface StoredImages {
  readonly registry: ScriptedRegistry;
  readonly references: readonly string[];
  readonly images: readonly StoredImage[];
}

/** A registry with four images, of which three share a layer; they need four volumes of VOLUME_BYTES. */
export async function storedImages(script: ScriptOptions = {}): Promise<StoredImages> {
  const registry = await ScriptedRegistry.start(script);
  const images = IMAGES.map((layers, index) => {
    const image = storeImage(
      registry.content,
      layers.map(layer => LAYERS[layer] ?? Buffer.alloc(0)),
    );
    const manifest = registry.content.manifests.get(image.digest);
    if (manifest !== undefined) registry.content.manifests.set(`app:v${index}`, manifest);
    return image;
  });
  return { registry, images, references: images.map((_, index) => `${registry.host}/app:v${index}`) };
}

/** Pulls all images into volumes named `site`. */
export async function pullVolumes(
  { references }: StoredImages,
  folder: string,
  options: Partial<PullOptions> = {},
): Promise<PullResult> {
  const output = join(folder, "site.tar");
  return await pull(references, { output, platform: "linux/amd64", volumeSize: VOLUME_BYTES, ...options });
}

/** sha256 of each file of a folder, by name. */
export function sumsOf(folder: string): Readonly<Record<string, string>> {
  const names = readdirSync(folder).sort();
  return Object.fromEntries(names.map(name => [name, hexOf(readFileSync(join(folder, name)))]));
}

export function hexOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Bodies of the entries of a tar. */
export async function entriesOf(path: string): Promise<ReadonlyMap<string, Buffer>> {
  const bytes = readFileSync(path);
  const read = async (into: Uint8Array, position: number) => bytes.copy(into, 0, position);
  const { entries } = await indexTar({ size: bytes.length, read });
  return new Map(
    [...entries].map(([name, { bodyOffset, size }]) => [name, bytes.subarray(bodyOffset, bodyOffset + size)]),
  );
}

export function lockIn(entries: ReadonlyMap<string, Buffer>): Lock {
  return parseLock(entries.get(LOCK_FILE) ?? Buffer.alloc(0), { where: "volume" });
}
