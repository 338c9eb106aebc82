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

export interface GoldenArchive {
  readonly producer: string;
  readonly images: readonly GoldenImage[];
  readonly indexDigest?: string;
}

const fixtures = fileURLToPath(new URL("../../../fixtures", import.meta.url));

export function fixture(file: string): string {
  return join(fixtures, file);
}

/** What real tools say about the fixtures, by file. */
export const goldens: Readonly<Record<string, GoldenArchive>> = JSON.parse(
  readFileSync(fixture("manifest-goldens.json"), "utf8"),
);

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
