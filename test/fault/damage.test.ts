// What a scratched medium does to an archive, and what verify says of it.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openArchiveFile } from "../../src/archive/open/open-archive-file.ts";
import type { NeededBlob } from "../../src/bundle/need/need.ts";
import { parseNeed } from "../../src/bundle/need/parse-need.ts";
import { readBlob } from "../../src/content/pump.ts";
import { convert, push, verify } from "../../src/index.ts";
import type { Descriptor } from "../../src/oci/descriptor.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from "../../src/oci/media-types.ts";
import { patchOf } from "../support/bundle-files.ts";
import { runCommand } from "../support/command-line.ts";
import { fileWith, temporaryFolder } from "../support/images.ts";
import { archiveBytes } from "../support/memory-archive.ts";
import { noise } from "../support/memory-blobs.ts";
import { memorySource, settledRoot } from "../support/memory-image.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { tarOf } from "../unit/archive/archive-builder.ts";

const MIB = 1024 * 1024;
const source = memorySource();
const big = source.add(OCI_LAYER_GZIP, noise(9 * MIB + 7));
const small = source.add(OCI_LAYER_GZIP, noise(3000, 2));
const image = (...layers: readonly Descriptor[]): Descriptor => {
  const rootfs = { type: "layers", diff_ids: layers.map(({ digest }) => digest) };
  const config = source.add(OCI_CONFIG, { os: "linux", architecture: "amd64", rootfs });
  return source.add(OCI_MANIFEST, { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers });
};
const two = image(small);
const roots = [settledRoot(image(big, small), "r.lan/one:1"), settledRoot(two, "r.lan/two:1")];

const intact = await archiveBytes(source, roots);
const at = ({ digest }: Descriptor): number => intact.indexOf(`blobs/sha256/${digest.slice(7)}\0`) + 512;

async function damaged(...positions: readonly number[]): Promise<string> {
  const bytes = Buffer.from(intact);
  for (const position of positions) bytes[position] = (bytes[position] ?? 0) ^ 0x10;
  return await fileWith(bytes, "site.tar");
}

describe("verify of an archive that imgpack wrote", () => {
  test("says that all is well, and does not inflate layers, whose digests decide", async () => {
    const path = await fileWith(intact, "site.tar");
    expect(await verify(path)).toMatchObject({
      images: 2,
      blobs: 6,
      faults: [],
      unharmed: ["r.lan/one:1", "r.lan/two:1"],
      harmed: [],
      unchecked: ["what 2 layers inflate to, because the digests decide (--diff-ids checks it, too)"],
    });
    // The layers are no gzip data.
    const { faults } = await verify(path, { diffIds: true });
    expect(faults).toMatchObject([]);
  });

  test("names the damaged 4 MiB, in the blob and in the file, who needs them, and which images are unharmed", async () => {
    const path = await damaged(at(big) + 5 * MIB);
    const { faults, harmed, unharmed, needs } = await verify(path);
    const [from, to] = [4 * MIB, 8 * MIB];
    const range = { from, to, fileFrom: at(big) + from, fileTo: at(big) + to };
    expect(faults).toMatchObject([{ kind: "digest", blob: big.digest, ranges: [range], images: ["r.lan/one:1"] }]);
    expect([harmed, unharmed]).toEqual([["r.lan/one:1"], ["r.lan/two:1"]]);
    expect(needs).toMatchObject([{ images: ["r.lan/one:1"], blobs: [{ digest: big.digest, ranges: [[from, to]] }] }]);
  });

  test("of a blob without pieces, all of it has to be fetched; of a damaged manifest, no one knows what it needs", async () => {
    const { faults, harmed, needs } = await verify(await damaged(at(small), at(two)));
    expect(faults.map(({ blob }) => blob).sort()).toEqual([small.digest, two.digest].sort());
    expect(harmed).toEqual(["r.lan/one:1", "r.lan/two:1"]);
    expect(needs?.[0]?.blobs.map(({ digest, ranges }) => [digest, ranges])).toEqual(
      [small.digest, two.digest].sort().map(digest => [digest, undefined]),
    );
  });

  test.each([
    ["header", "the first header", 0],
    ["header", "the header of a blob", at(big) - 512],
    ["file", "oci-layout", 512],
    ["file", "index.json", intact.indexOf('{"schemaVersion"')],
    ["file", "the lock", intact.indexOf('{"format":"imgpack-lock"') + 30],
    ["padding", "what follows a body", at(small) + 3001],
    ["sums", "the sums", intact.lastIndexOf('"sum":"') + 10],
    ["header", "the header of the sums", intact.lastIndexOf("imgpack/sums\0")],
    ["padding", "the end", intact.length - 10],
  ])(
    "finds damage in %s: %s, and continues; no image is harmed, and nothing has to be fetched",
    async (kind, _, where) => {
      const { faults, harmed, needs } = await verify(await damaged(where));
      expect(faults.map(fault => fault.kind)).toEqual([kind]);
      const [{ fileFrom = 0, fileTo = 0 } = {}] = faults[0]?.ranges ?? [];
      expect(fileFrom <= where && where < fileTo).toBe(true);
      expect([harmed, needs]).toEqual([[], undefined]);
    },
  );

  test("of a file that was cut, it says from where on, and which pieces are left", async () => {
    const end = at(big) + 4 * MIB + 100;
    const { faults, needs } = await verify(await fileWith(intact.subarray(0, end), "site.tar"));
    expect(faults.map(({ kind }) => kind)).toContain("cut");
    expect(faults.find(({ kind }) => kind === "cut")?.ranges).toMatchObject([{ fileFrom: end }]);
    expect(needs?.[0]?.blobs.map(({ digest }) => digest)).toContain(big.digest);
  });

  test("sums that lie do not make it fetch less than is damaged, and are named", async () => {
    const text = intact.toString("latin1");
    const lie = text.replaceAll(/\["[0-9a-f]{64}","[0-9a-f]{64}","[0-9a-f]{64}"\]/g, row => row.replaceAll("0", "1"));
    const path = await fileWith(Buffer.from(lie, "latin1"), "site.tar");
    expect((await verify(path)).faults.map(({ kind }) => kind)).toEqual(["sums"]);
    const bytes = Buffer.from(lie, "latin1");
    bytes[at(big) + 5 * MIB] = 0;
    await writeFile(path, bytes);
    expect((await verify(path)).needs).toMatchObject([{ blobs: [{ digest: big.digest }] }]);
  });

  test("an archive that another program packed again is checked by its digests", async () => {
    const files: Record<string, Uint8Array> = {};
    await using archive = await openArchiveFile(await fileWith(intact));
    for (const [name, entry] of archive.entries) files[name] = await readBlob(archive.slice(entry), entry.size);
    const { faults, unharmed, blobs } = await verify(await fileWith(tarOf(files), "again.tar"));
    expect([faults, unharmed, blobs]).toEqual([[], undefined, 6]);
  });

  test("imgpack verify --need writes what has to be fetched, exit 6, and replaces nothing but a need list", async () => {
    const path = await damaged(at(big) + 5 * MIB);
    const need = join(await temporaryFolder(), "need.json");
    const result = await runCommand("verify", path, "--need", need);
    // No row says where it came from.
    expect(result.stderr).toContain("Copy it again from its source: some of what is damaged came from no registry");
    expect(result).toMatchObject({ exitCode: 6 });
    expect(result.stdout).toContain(`in bytes 4194304 to 8388607 (bytes ${at(big) + 4 * MIB} to`);
    expect(result.stdout).toContain("harmed: r.lan/one:1\nunharmed: r.lan/two:1\n");
    const list = parseNeed(await readFile(need), { where: "need.json" });
    expect(list).toMatchObject({ volumes: [], blobs: [{ digest: big.digest, ranges: [[4 * MIB, 8 * MIB]] }] });
    expect(await runCommand("verify", path, "--need", need)).toMatchObject({ exitCode: 6 });
    await writeFile(need, "my notes");
    expect(await runCommand("verify", path, "--need", need)).toMatchObject({ exitCode: 2 });
    expect(await readFile(need, "utf8")).toBe("my notes");
    expect(await runCommand("verify", await fileWith(intact), "--need", need)).toMatchObject({ exitCode: 2 });
    const none = join(await temporaryFolder(), "none.json");
    expect(await runCommand("verify", await fileWith(intact), "--need", none)).toMatchObject({ exitCode: 0 });
    await expect(readFile(none)).rejects.toThrow("ENOENT");
  });
});

describe("a damaged archive", () => {
  test("is written as it was from the pieces of a patch, and pushed with it; without one, the error says what to do", async () => {
    const path = await damaged(at(big) + 5 * MIB, at(big) - 100, at(two) + 3);
    const { needs } = await verify(path);
    const output = join(await temporaryFolder(), "fixed.tar");
    const hint = expect.stringContaining("imgpack verify FILE... --need");
    await expect(convert(path, { output })).rejects.toMatchObject({ exitCode: 6, hint });
    const bytes = noise(9 * MIB + 7);
    const manifest = await (await source.blob(two)).whole?.();
    const patch = await fileWith(
      Buffer.from(
        patchOf(
          needs?.[0]?.of ?? two.digest,
          [[two.digest, manifest ?? new Uint8Array()]],
          [[big.digest, 4 * MIB, bytes.subarray(4 * MIB, 8 * MIB)]],
        ),
      ),
      "patch.tar",
    );
    await convert([patch, path], { output });
    expect((await readFile(output)).equals(intact)).toBe(true);
    const target = await ScriptedRegistry.start();
    await push([path, patch], { to: `${target.host}/in`, layout: "full", compression: "keep" });
    expect(target.content.blobs.has(big.digest)).toBe(true);
    await expect(push([path], { to: `${target.host}/other` })).rejects.toMatchObject({ exitCode: 3 });
  });
});

test("verify of volumes says which volume is damaged and which is missing, in any order", async () => {
  const folder = await temporaryFolder();
  await convert(await fileWith(intact), { output: join(folder, "site.tar"), volumeSize: "5M" });
  const names = (await readdir(folder)).filter(name => name.endsWith(".tar")).sort();
  const paths = names.map(name => join(folder, name)).toReversed();
  // A blob in parts counts once.
  expect(await verify(paths)).toMatchObject({ blobs: 6, faults: [], unharmed: ["r.lan/one:1", "r.lan/two:1"] });
  const first = join(folder, names[0] ?? "");
  const bytes = await readFile(first);
  const where = bytes.indexOf(noise(9 * MIB + 7).subarray(0, 600)) + 100;
  bytes[where] = (bytes[where] ?? 0) ^ 1;
  await writeFile(first, bytes);
  const { faults, needs, harmed } = await verify(paths);
  expect(faults).toMatchObject([
    { archive: first, kind: "digest", blob: big.digest, ranges: [{ from: 0, to: 4 * MIB }] },
  ]);
  expect([needs?.[0]?.blobs.length, harmed]).toEqual([1, ["r.lan/one:1"]]);
  const { missing, harmed: lost } = await verify(paths.slice(1));
  expect(missing).toMatchObject([{ volumes: [names.length], of: names.length }]);
  expect(lost).toContain("r.lan/one:1");
  expect(await runCommand("verify", ...paths.slice(0, -1))).toMatchObject({ exitCode: 5 });
  const copy = join(folder, "copy.tar");
  bytes[where] = (bytes[where] ?? 0) ^ 1;
  await writeFile(copy, bytes);
  const { stderr } = await runCommand("verify", ...paths, copy);
  expect(stderr).toContain(`another file has what is damaged of ${JSON.stringify(first)}. Leave out the damaged file.`);
});

/** What `pull -f need.json` fetches. */
function patchFor(of: Digest | undefined, blobs: readonly NeededBlob[] = []): Uint8Array {
  if (of === undefined) throw new Error("no bundle");
  const bytesOf = ({ digest, size }: NeededBlob): Buffer => {
    const start = intact.indexOf(`blobs/sha256/${digest.slice(7)}\0`) + 512;
    return intact.subarray(start, start + size);
  };
  const whole = blobs.filter(({ ranges }) => ranges === undefined);
  const pieces = blobs.flatMap(blob =>
    (blob.ranges ?? []).flatMap(([from, to]) =>
      Array.from({ length: Math.ceil((to - from) / (4 * MIB)) }, (_, index) => from + index * 4 * MIB).map(
        start => [blob.digest, start, bytesOf(blob).subarray(start, Math.min(to, start + 4 * MIB))] as const,
      ),
    ),
  );
  return patchOf(
    of,
    whole.map(blob => [blob.digest, bytesOf(blob)]),
    pieces,
  );
}

test("a volume that lost its end, and its sums with it, is checked by its lock, and a patch completes it", async () => {
  const folder = await temporaryFolder();
  await convert(await fileWith(intact), { output: join(folder, "site.tar"), volumeSize: "5M" });
  const files = (await readdir(folder)).filter(name => name.endsWith(".tar")).sort();
  const paths = files.map(name => join(folder, name));
  for (const path of paths) {
    const bytes = await readFile(path);
    const end = Math.floor(bytes.length / 2);
    await writeFile(path, bytes.subarray(0, end));
    const { faults, missing, needs = [] } = await verify(paths);
    expect(missing).toBeUndefined();
    expect(faults.find(({ kind }) => kind === "cut")).toMatchObject({ archive: path, ranges: [{ fileFrom: end }] });
    const patch = await fileWith(patchFor(needs[0]?.of, needs[0]?.blobs), "patch.tar");
    expect((await verify(patch)).unchecked).toEqual([`the patch "${patch}": what is in it is checked when it is used`]);
    const output = join(await temporaryFolder(), "site.tar");
    await convert([...paths, patch], { output });
    expect((await readFile(output)).equals(intact)).toBe(true);
    await writeFile(path, bytes);
  }
});
