import { describe, expect, test } from "vitest";
import type { Archive } from "../../../../src/archive/archive.ts";
import { archiveSource } from "../../../../src/archive/open-archive.ts";
import { ArchiveMetadata } from "../../../../src/archive/read/archive-metadata.ts";
import { configOf, dockerManifest, type Files, layerOf, layoutFiles, openFiles } from "../archive-builder.ts";

const [LAYER, CONFIG] = [layerOf("one"), configOf([layerOf("one")])];
const DOCKER: Files = {
  ...dockerManifest({ Config: "config.json", RepoTags: ["app:1"], Layers: ["layer.tar"] }),
  "config.json": CONFIG.bytes,
  "layer.tar": LAYER.bytes,
};

/** The archive, and the names of the entries that are read from it. */
function watched(archive: Archive): { readonly archive: Archive; readonly names: string[] } {
  const names: string[] = [];
  const slice: Archive["slice"] = entry => {
    names.push(entry.name);
    return archive.slice(entry);
  };
  const { path, what, fileBytes, compression, entries } = archive;
  const seen: Archive = {
    ...{ path, what, fileBytes, compression, entries, slice },
    resolve: name => archive.resolve(name),
    compressionOf: async entry => await archive.compressionOf(entry),
    digest: async (entry, signal) => await archive.digest(entry, signal),
    [Symbol.asyncDispose]: async () => await archive[Symbol.asyncDispose](),
  };
  return { names, archive: seen };
}

describe("ArchiveMetadata", () => {
  test("is read once, whatever the dialect needs of it", async () => {
    const { archive } = await openFiles({ ...layoutFiles([], []), ...DOCKER, repositories: "{}" });
    const { archive: seen, names } = watched(archive);
    await archiveSource(seen, {});
    const metadata = names.filter(name => name !== "config.json").sort();
    expect(metadata).toEqual(["index.json", "manifest.json", "oci-layout", "repositories"]);
  });

  test("keeps what is wrong with a file for those who need the file", async () => {
    const { archive } = await openFiles({ ...DOCKER, repositories: { symlink: "manifest.json" } });
    const metadata = await ArchiveMetadata.read(archive);
    expect(metadata.has("repositories")).toBe(true);
    expect(metadata.has("oci-layout")).toBe(false);
    expect(() => metadata.bytes("repositories")).toThrow("found a symlink, expected a regular file");
    expect(metadata.bytes("manifest.json")).not.toHaveLength(0);
  });

  test("lets an archive be opened whose unusable file its dialect does not need", async () => {
    const { images } = await openFiles({ ...DOCKER, repositories: { symlink: "manifest.json" } });
    expect(images).toHaveLength(1);
  });
});
