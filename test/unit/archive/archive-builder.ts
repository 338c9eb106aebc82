// Image archives as bytes, and opened from a file of their own.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { OpenArchiveOptions } from "../../../src/archive/open/open-archive-options.ts";
import { type ArchiveSource, openArchive } from "../../../src/archive/open-archive.ts";
import type { Root } from "../../../src/content/contracts.ts";
import type { ImgpackError } from "../../../src/errors.ts";
import type { Digest } from "../../../src/oci/digest.ts";
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from "../../../src/oci/media-types.ts";
import { sha256 } from "../../support/memory-registry.ts";
import { tarArchive, tarEntry } from "../../support/tar-builder.ts";

export interface Blob {
  readonly bytes: Uint8Array;
  readonly digest: Digest;
  readonly hex: string;
}

export function blobOf(content: string | Uint8Array): Blob {
  const bytes = Buffer.from(content);
  const digest = sha256(bytes);
  return { bytes, hex: digest.slice("sha256:".length), digest };
}

/** A raw layer: a small tar with one file. */
export function layerOf(text: string): Blob {
  return blobOf(tarArchive([tarEntry({ name: "file", body: text })]));
}

export function configOf(layers: readonly Blob[], platform: object = {}): Blob {
  const rootfs = { type: "layers", diff_ids: layers.map(({ digest }) => digest) };
  return blobOf(JSON.stringify({ os: "linux", architecture: "amd64", ...platform, rootfs }));
}

export function manifestOf(config: Blob, layers: readonly Blob[], layerType: string = OCI_LAYER_GZIP): Blob {
  return blobOf(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: describe(config, OCI_CONFIG),
      layers: layers.map(layer => describe(layer, layerType)),
    }),
  );
}

export function describe({ digest, bytes }: Blob, mediaType: string, extra: object = {}): object {
  return { mediaType, digest, size: bytes.length, ...extra };
}

export function indexOf(manifests: readonly object[]): Blob {
  return blobOf(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }));
}

export type Files = Readonly<Record<string, string | Uint8Array | { readonly symlink: string }>>;

/** `oci-layout`, `index.json` and the blobs. */
export function layoutFiles(roots: readonly object[], blobs: readonly Blob[]): Files {
  return {
    "oci-layout": '{"imageLayoutVersion": "1.0.0"}',
    "index.json": indexOf(roots).bytes,
    ...Object.fromEntries(blobs.map(({ hex, bytes }) => [`blobs/sha256/${hex}`, bytes])),
  };
}

export function dockerManifest(...images: readonly object[]): Files {
  return { "manifest.json": JSON.stringify(images) };
}

export function annotated(name: string): object {
  return { annotations: { "io.containerd.image.name": name } };
}

export function tarOf(files: Files): Uint8Array {
  return tarArchive(
    Object.entries(files).map(([name, body]) =>
      typeof body === "object" && "symlink" in body
        ? tarEntry({ name, type: "2", linkName: body.symlink })
        : tarEntry({ name, body }),
    ),
  );
}

export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "imgpack-store-"));
  onTestFinished(async () => await rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function openFiles(files: Files, options?: OpenArchiveOptions): Promise<ArchiveSource> {
  return await openBytes(tarOf(files), options);
}

export async function openBytes(bytes: Uint8Array, options?: OpenArchiveOptions): Promise<ArchiveSource> {
  const path = join(await makeFolder(), "app.tar");
  await writeFile(path, bytes);
  const archive = await openArchive(path, options);
  onTestFinished(async () => await archive[Symbol.asyncDispose]());
  return archive;
}

/** Class, reason, message and exit code of the refusal. */
export async function refusal(opening: Promise<unknown>): Promise<ImgpackError & { readonly reason?: string }> {
  try {
    await opening;
  } catch (error) {
    return error as ImgpackError;
  }
  throw new Error("accepted");
}

/** An image as tests compare it: names, and digests of config and layers, or of the manifest. */
export function summary(root: Root): object {
  if (root.kind === "settled") return { names: root.names, manifest: root.descriptor.digest };
  const { config, layers } = root.draft;
  return { names: root.names, config: config.digest, layers: layers.map(layer => "digest" in layer && layer.digest) };
}
