import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { dockerArchive } from "../../support/images.ts";
import { tarArchive, tarEntry } from "../../support/tar-builder.ts";
import type { Imgpack } from "./imgpack.ts";

/** Writes an OCI archive of one image for each name, with one gzip layer: a file `name` with the body that `bodyOf` says. */
export async function writeNamedImages(
  imgpack: Imgpack,
  names: readonly string[],
  output: string,
  bodyOf: (name: string) => string | Uint8Array = name => name,
): Promise<void> {
  const files: string[] = [];
  for (const [index, name] of names.entries()) {
    const layer = tarArchive([tarEntry({ name: "name", body: bodyOf(name) })]);
    const file = join(imgpack.folder, `${index}.tar`);
    await writeFile(file, dockerArchive({ layers: [layer], tags: [name] }));
    files.push(file);
  }
  const { code, stderr } = await imgpack.run(["convert", ...files, output, "--format", "oci", "--layers", "gzip"]);
  expect(code, stderr).toBe(0);
}
