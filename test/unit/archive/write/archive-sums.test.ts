import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ArchiveDraft } from "../../../../src/archive/write/archive-draft.ts";
import { archiveFileTarget } from "../../../../src/archive/write/archive-file-target.ts";
import { parseSums, type ReadSums } from "../../../../src/bundle/sums/parse-sums.ts";
import { bytesBlob } from "../../../../src/content/blob.ts";
import { spliced } from "../../../../src/content/pump.ts";
import { gather } from "../../../../src/copy/gather.ts";
import { OCI_LAYER_GZIP } from "../../../../src/oci/media-types.ts";
import { indexTar } from "../../../../src/tar/tar-index.ts";
import { temporaryFolder } from "../../../support/images.ts";
import { noise } from "../../../support/memory-blobs.ts";
import { addImage, memorySource, settledRoot } from "../../../support/memory-image.ts";

const MIB = 1024 * 1024;
const platform = { os: "linux", architecture: "amd64" };
const bytes = noise(9 * MIB + 5);
const source = memorySource();
const layer = source.add(OCI_LAYER_GZIP, bytes);
const small = source.add(OCI_LAYER_GZIP, noise(4 * MIB, 2));
const plan = await gather(source, [settledRoot(addImage(source, "app", { layers: [layer, small] }), "r.lan/app:1")]);
const others = [...plan.blobs, ...[...plan.manifests.values()].map(({ descriptor }) => descriptor)].filter(
  blob => blob !== layer,
);
const pieces = [0, 4, 8].map(start =>
  createHash("sha256")
    .update(bytes.subarray(start * MIB, (start + 4) * MIB))
    .digest("hex"),
);

async function sumsOf(path: string): Promise<{ readonly sums: ReadSums | undefined; readonly file: Buffer }> {
  const file = await readFile(path);
  const { entries } = await indexTar({
    size: file.length,
    read: async (target, at) => file.copy(target, 0, at, at + target.length),
  });
  const entry = [...entries.values()].at(-1);
  expect(entry?.name).toBe("imgpack/sums");
  const start = entry?.bodyOffset ?? 0;
  return { sums: parseSums(file.subarray(start, start + (entry?.size ?? 0))), file };
}

test("an archive ends with the hashes of the pieces of its large blobs, and copies of its metadata", async () => {
  const path = join(await temporaryFolder(), "out.tar");
  {
    await using session = await archiveFileTarget(path, { platform }).begin(plan);
    for (const blob of [layer, ...others]) await session.put(blob, await source.blob(blob));
    await session.commit([]);
  }
  const { sums, file } = await sumsOf(path);
  expect(sums).toMatchObject({ isIntact: true, pieceBytes: 4 * MIB, order: undefined });
  expect(sums?.blobs).toEqual([{ digest: layer.digest, pieces }]);
  expect(sums?.files.map(({ name }) => name)).toEqual(["oci-layout", "index.json", "manifest.json", "imgpack.json"]);
  for (const { copy } of sums?.files ?? []) expect(file.indexOf(copy ?? "none")).toBeGreaterThan(0);
});

test("a resumed pull hashes the pieces of bytes that it keeps, and writes the same sums", async () => {
  const folder = await temporaryFolder();
  const paths = ["whole.tar", "resumed.tar"].map(name => join(folder, name));
  const [whole = "", resumed = ""] = paths;
  const kept = 5 * MIB + 77;
  const begin = async (path: string) =>
    await archiveFileTarget(path, { platform, resume: { command: "pull" } }).begin(plan);
  {
    await using session = await begin(resumed);
    for (const blob of others) await session.put(blob, await source.blob(blob));
    await session.put(layer, bytesBlob(bytes.subarray(0, kept)));
  }
  for (const path of paths) {
    await using session = await begin(path);
    for (const blob of [layer, ...others]) {
      if ((await session.has(blob)) !== "absent") continue;
      const left = session.kept?.(blob);
      const from = await source.blob(blob);
      if (path === resumed) expect(left?.size).toBe(blob === layer ? kept : undefined);
      await session.put(blob, left === undefined ? from : spliced(left, from));
    }
    await session.commit([]);
  }
  expect((await readFile(resumed)).equals(await readFile(whole))).toBe(true);
  expect((await sumsOf(resumed)).sums?.blobs).toEqual([{ digest: layer.digest, pieces }]);
});

test("a layer that was written before its digest was known has its pieces in the sums", async () => {
  const path = join(await temporaryFolder(), "out.tar");
  const options = { platform, layerOrder: [layer, small].map(({ digest }) => digest) };
  await using draft = await ArchiveDraft.open(path, plan, options);
  await draft.slot(layer.digest)?.write(bytes, 0);
  const target = draft.target({ ...options, formerDigests: new Map(), placed: new Set([layer.digest]) });
  {
    await using session = await target.begin(plan);
    expect(await session.has(layer)).toBe("kept");
    for (const blob of others) await session.put(blob, await source.blob(blob));
    await session.commit([]);
  }
  const { sums } = await sumsOf(path);
  expect(sums?.blobs).toEqual([{ digest: layer.digest, pieces }]);
  expect(sums?.order?.slice(-2)).toEqual([layer, small].map(({ digest }) => `blobs/sha256/${digest.slice(7)}`));
});
