import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { type ShapeArchive, shapeArchives } from "../../support/shape-archives.ts";
import { entriesOf } from "./tar-stream-entries.ts";

const archives = shapeArchives();

function imagesOf({ expected }: ShapeArchive): Extract<ShapeArchive["expected"], { images: unknown }>["images"] {
  return "images" in expected ? expected.images : [];
}

/** Digests of every body, and of what gzip'd bodies hold. */
async function digestsIn({ bytes }: ShapeArchive): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const { body } of await entriesOf(bytes)) {
    const bodies = body[0] === 0x1f && body[1] === 0x8b ? [body, gunzipSync(body)] : [body];
    for (const algorithm of ["sha256", "sha512"]) {
      for (const each of bodies) found.add(`${algorithm}:${createHash(algorithm).update(each).digest("hex")}`);
    }
  }
  return found;
}

describe("shapeArchives()", () => {
  test("shapeArchives() gives every archive a name of its own and the same bytes again", () => {
    expect(new Set(archives.map(({ name }) => name)).size).toBe(archives.length);
    const again = shapeArchives();
    expect(archives.filter(({ bytes }, position) => !again[position]?.bytes.equals(bytes))).toEqual([]);
  });

  test("shapeArchives() names every blob by its digest", async () => {
    let count = 0;
    for (const { bytes } of archives) {
      for (const { name, body } of await entriesOf(bytes)) {
        const [, algorithm, hex] = /^blobs\/(sha256|sha512)\/([0-9a-f]+)(?:\.tar\.gz)?$/.exec(name) ?? [];
        if (algorithm === undefined) continue;
        expect(createHash(algorithm).update(body).digest("hex")).toBe(hex);
        count++;
      }
    }
    expect(count).toBeGreaterThan(40);
  });

  for (const archive of archives) {
    const images = imagesOf(archive);
    if (images.length === 0) continue;

    test(`shapeArchives() expects of "${archive.name}" what lies in it`, async () => {
      const digests = await digestsIn(archive);
      for (const { diffIds, configDigest, manifestDigest } of images) {
        // Docker up to 1.9 wrote no config; Node 20 inflates no xz, bzip2 or zstd.
        if (!archive.name.startsWith("docker 1.")) expect(digests).toContain(configDigest);
        if (manifestDigest !== undefined) expect(digests).toContain(manifestDigest);
        if (/as (xz|bzip2|zstd)$/.test(archive.name)) continue;
        for (const diffId of diffIds) expect(digests).toContain(diffId);
      }
    });
  }
});
