import { fullName } from "../../support/full-name.ts";
import type { ShapeArchive } from "../../support/shape-archives.ts";
import { fixture, type GoldenArchive } from "../peers/goldens.ts";

export interface ExpectedImage {
  /** Full ones; a producer that writes a tag alone gives none. */
  readonly names: readonly string[];
  readonly imageId: string;
  readonly diffIds: readonly string[];
  /** Where the producer's manifest is the registry's. */
  readonly manifestDigest?: string;
}

/** An archive to take through all verbs, and what its producer says of it. */
export interface Subject {
  readonly name: string;
  readonly path: string;
  readonly isFolder: boolean;
  readonly images: readonly ExpectedImage[];
  /** Digests of manifests that are no images. */
  readonly artifacts: readonly string[];
  readonly absent: readonly string[];
  readonly indexDigest: string | undefined;
}

export function fixtureSubject(file: string, golden: GoldenArchive): Subject {
  return {
    name: file,
    path: fixture(file),
    isFolder: file.startsWith("dirs/"),
    images: golden.images.map(({ names, imageId, diffIds, manifestDigest }) => ({
      names: names.filter(name => name.includes(":")).map(fullName),
      imageId,
      diffIds,
      ...(manifestDigest === undefined ? {} : { manifestDigest }),
    })),
    artifacts: (golden.artifacts ?? []).map(({ manifestDigest }) => manifestDigest),
    absent: golden.absent ?? [],
    indexDigest: golden.indexDigest,
  };
}

/** @param path of the file that holds the shape's bytes. */
export function shapeSubject({ name, expected }: ShapeArchive, path: string): Subject {
  const images = "images" in expected ? expected.images : [];
  return {
    name,
    path,
    isFolder: false,
    images: images.map(({ names, configDigest, diffIds, manifestDigest }) => ({
      names: names.map(fullName),
      imageId: configDigest,
      diffIds,
      ...(manifestDigest === undefined ? {} : { manifestDigest }),
    })),
    artifacts: [],
    absent: [],
    indexDigest: undefined,
  };
}
