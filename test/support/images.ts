// Images made of seeded bytes: as docker archives on disk, and as content of a registry.
import { createCipheriv, createHash } from "node:crypto";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { remove } from "fs-extra/esm";
import { onTestFinished } from "vitest";
import { type MemoryRegistry, sha256 } from "./memory-registry.ts";
import { tarArchive, tarEntry } from "./tar-builder.ts";

const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "imgpack-test-"));
  onTestFinished(async () => await remove(folder));
  return folder;
}

/** Bytes that look random, and are the same for the same seed. */
export function seededBytes(seed: string, size: number): Buffer {
  const key = createHash("sha256").update(seed).digest().subarray(0, 16);
  return createCipheriv("aes-128-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(size));
}

export interface ArchiveParts {
  readonly tags?: readonly string[] | null;
  readonly layers?: readonly Uint8Array[];
  /** Takes the place of the right one. */
  readonly config?: string;
  readonly manifest?: string;
  /** Entries behind, or instead of, the layers. */
  readonly extra?: readonly Uint8Array[];
  /** Layer entries to leave out, by number. */
  readonly without?: readonly number[];
}

/** A docker archive like those of `docker save`: raw layers, config, manifest.json. */
export function dockerArchive(parts: ArchiveParts = {}): Uint8Array {
  const layers = parts.layers ?? [tarArchive([tarEntry({ name: "hello", body: "hello\n" })])];
  const names = layers.map((_layer, place) => `${place}/layer.tar`);
  const config = parts.config ?? configOf(layers);
  const manifest =
    parts.manifest ?? JSON.stringify([{ Config: "config.json", RepoTags: parts.tags ?? null, Layers: names }]);
  return tarArchive([
    ...layers.flatMap((body, place) =>
      parts.without?.includes(place) ? [] : [tarEntry({ name: names[place] ?? "", body })],
    ),
    ...(parts.extra ?? []),
    tarEntry({ name: "config.json", body: config }),
    tarEntry({ name: "manifest.json", body: manifest }),
  ]);
}

export function configOf(layers: readonly Uint8Array[]): string {
  return JSON.stringify({
    architecture: "amd64",
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: layers.map(sha256) },
  });
}

/** Writes bytes to a file of their own folder. */
export async function fileWith(bytes: Uint8Array, name = "image.tar"): Promise<string> {
  const path = join(await temporaryFolder(), name);
  await writeFile(path, bytes);
  return path;
}

export interface StoredImage {
  readonly digest: string;
  readonly layers: readonly { readonly digest: string; readonly bytes: Buffer }[];
  readonly config: string;
}

/** Puts an image of such layers into a registry under `app:1`. */
export function storeImage(
  content: MemoryRegistry,
  layerBytes: readonly Buffer[],
  layerType = "application/vnd.oci.image.layer.v1.tar+gzip",
): StoredImage {
  const config = Buffer.from(configOf(layerBytes));
  const describe = (mediaType: string, bytes: Buffer): object => ({
    mediaType,
    digest: content.addBlob(bytes),
    size: bytes.length,
  });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: describe("application/vnd.oci.image.config.v1+json", config),
      layers: layerBytes.map(bytes => describe(layerType, bytes)),
    }),
  );
  return {
    digest: content.addManifest("app:1", OCI_MANIFEST, manifest),
    layers: layerBytes.map(bytes => ({ digest: sha256(bytes), bytes })),
    config: sha256(config),
  };
}
