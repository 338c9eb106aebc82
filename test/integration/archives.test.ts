import { open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { COMMAND } from "../support/command.ts";
import { tarEntry } from "../support/tar-builder.ts";
import { describeWith } from "./peers/describe-with.ts";
import { fixture, golden, goldenImage, sample } from "./peers/goldens.ts";
import { createImgpack, type Imgpack } from "./peers/imgpack.ts";
import { sha256 } from "./peers/registry-content.ts";
import { run } from "./peers/run.ts";

describeWith(["tar"], "imgpack inspect and verify", () => {
  let imgpack: Imgpack;
  beforeAll(async () => {
    imgpack = await createImgpack();
  });
  afterAll(() => imgpack?.close());

  for (const file of sample) {
    const { producer, images, indexDigest } = golden(file);
    test(`imgpack inspect and verify tell of ${file} (${producer}) what its producer says`, async () => {
      const inspection = await imgpack.inspect(fixture(file));
      const found = inspection.images.flatMap(({ digest, platforms }) =>
        platforms.map(({ platform, config, layers, digest: manifest }) => ({
          platform,
          imageId: config ?? "",
          diffIds: layers.map(({ diffId }) => diffId),
          ...(manifest === undefined ? {} : { manifestDigest: manifest }),
          ...(indexDigest === undefined ? {} : { indexDigest: digest }),
        })),
      );
      const expected = images.map(({ names: _, ...image }) => ({
        ...image,
        ...(indexDigest === undefined ? {} : { indexDigest }),
      }));
      expect(found.sort(byId)).toEqual(expected.sort(byId));
      expect(await imgpack.verify(fixture(file))).toMatchObject({ faults: [], unchecked: [] });
    });
  }

  test("imgpack verify names each blob in which a byte is flipped, with exit code 6", async () => {
    const file = fixture("docker28-containerd-shared.tar");
    const { stdout } = await run("tar", ["--list", "--file", file]);
    const names = stdout.split("\n").filter(name => /^blobs\/sha256\/[0-9a-f]{64}$/.test(name));
    expect(names).toHaveLength(6);
    for (const name of names) {
      const archive = await readFile(file);
      const body = (await run("tar", ["--extract", "--to-stdout", "--file", file, name])).stdoutBytes;
      const at = archive.indexOf(body) + (body.length >> 1);
      archive.writeUInt8(archive.readUInt8(at) ^ 1, at);
      const damaged = join(imgpack.folder, "damaged.tar");
      await writeFile(damaged, archive);
      const { code, stdout, stderr } = await imgpack.run(["verify", damaged]);
      expect({ name, code }).toEqual({ name, code: 6 });
      expect(stdout + stderr).toContain(`sha256:${name.slice("blobs/sha256/".length)}`);
    }
  });

  test("imgpack verify names a raw layer in which a byte is flipped, with exit code 6", async () => {
    const archive = await readFile(fixture("docker20-hello.tar"));
    const at = archive.indexOf("Hello from imgpack!");
    archive.writeUInt8(archive.readUInt8(at) ^ 1, at);
    const damaged = join(imgpack.folder, "damaged.tar");
    await writeFile(damaged, archive);
    const { code, stdout } = await imgpack.run(["verify", damaged]);
    expect(code).toBe(6);
    expect(stdout).toContain(`digest: ${goldenImage("docker20-hello.tar").diffIds[0]}`);
  });

  // Counted by the kernel, because the time that reading takes says little on a busy machine.
  test.runIf(process.platform === "linux")("imgpack inspect of a 20 GiB archive reads less than 5 MB", async () => {
    const path = join(imgpack.folder, "sparse.tar");
    await writeSparseArchive(path, 20 * 1024 ** 3);
    // What a process has read counts for its parent once it has ended.
    const script = `"$@" && cat /proc/$$/io >&2`;
    const counted = async (...words: readonly string[]): Promise<{ read: number; stdout: string }> => {
      const { code, stdout, stderr } = await run("sh", ["-c", script, "sh", ...COMMAND, ...words], {
        // The second run would read what the first one compiled.
        env: { IMGPACK_CODE_CACHE: "off" },
      });
      expect(code).toBe(0);
      return { read: Number(/^rchar: (\d+)$/m.exec(stderr)?.[1]), stdout };
    };
    const { read: start } = await counted("inspect", fixture("docker20-hello.tar"), "--json");
    const { read, stdout } = await counted("inspect", path, "--json");
    expect(JSON.parse(stdout).images[0].platforms[0].layers[0].size).toBe(20 * 1024 ** 3);
    expect(read).toBeLessThan(5_000_000);
    expect(read - start).toBeLessThan(200_000);
  });
});

function byId(left: { readonly imageId: string }, right: { readonly imageId: string }): number {
  return left.imageId < right.imageId ? -1 : 1;
}

/** A docker archive with one layer that is a hole. */
async function writeSparseArchive(path: string, layerBytes: number): Promise<void> {
  const diffId = `sha256:${"0".repeat(64)}`;
  const config = Buffer.from(JSON.stringify({ os: "linux", architecture: "amd64", rootfs: { diff_ids: [diffId] } }));
  const name = `${sha256(config).slice("sha256:".length)}.json`;
  const manifest = JSON.stringify([{ Config: name, RepoTags: ["huge:1"], Layers: ["layer.tar"] }]);
  const sizeField = Buffer.alloc(12);
  sizeField.writeUInt8(0x80);
  sizeField.writeBigUInt64BE(BigInt(layerBytes), 4);
  const file = await open(path, "w");
  try {
    const head = tarEntry({ name: "layer.tar", magic: "gnu", sizeField });
    const tail = Buffer.concat([tarEntry({ name, body: config }), tarEntry({ name: "manifest.json", body: manifest })]);
    await file.write(head, 0, head.length, 0);
    await file.write(tail, 0, tail.length, head.length + layerBytes);
    await file.truncate(head.length + layerBytes + tail.length + 1024);
  } finally {
    await file.close();
  }
}
