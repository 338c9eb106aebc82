import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface GoldenImage {
  /** As the producer writes them. */
  readonly names: readonly string[];
  readonly platform: string;
  /** Digest of the config. */
  readonly imageId: string;
  readonly diffIds: readonly string[];
  readonly manifestDigest?: string;
}

/** A manifest that is no image: an attestation below an index, or whatever else a registry keeps. */
export interface GoldenArtifact {
  readonly manifestDigest: string;
  /** "attestation", or the artifact's own type. */
  readonly type: string;
}

export interface GoldenArchive {
  readonly producer: string;
  /** None in an archive of artifacts. */
  readonly images: readonly GoldenImage[];
  readonly indexDigest?: string;
  readonly artifacts?: readonly GoldenArtifact[];
  /** Manifests that the index names and the archive does not hold. */
  readonly absent?: readonly string[];
}

const fixtures = fileURLToPath(new URL("../../../fixtures", import.meta.url));

export function fixture(file: string): string {
  return join(fixtures, file);
}

/** What real tools say about the fixtures, by file; a name in `dirs/` is a folder. */
export const goldens: Readonly<Record<string, GoldenArchive>> = JSON.parse(
  readFileSync(fixture("manifest-goldens.json"), "utf8"),
);

/**
 * For the built command: one of each code that it has in a file of its own. The matrix takes every archive through the
 * library, with the same expectations.
 */
export const sample: readonly string[] = [
  "docker20-shared.tar",
  "docker28-containerd-raw.tar",
  "skopeo122-oci.tar",
  "multi-platform-oci.tar",
  "hello.tar.gz",
  "hello.tar.xz",
  "dirs/buildah128-oci",
];

export function golden(file: string): GoldenArchive {
  const found = goldens[file];
  if (found === undefined) throw new Error(`no golden for ${file}`);
  return found;
}

export function goldenImage(file: string, name?: string): GoldenImage {
  const image = golden(file).images.find(({ names }) => name === undefined || names.includes(name));
  if (image === undefined) throw new Error(`no golden for ${name} in ${file}`);
  return image;
}

/** What the program in the fixtures prints. */
export const greeting = "Hello from imgpack!\n";
