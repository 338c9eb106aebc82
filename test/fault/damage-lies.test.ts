// Archives whose lock says something else than their manifests, and such as would need any amount of time or memory.
import { writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { formatLock, LOCK_FILE } from "../../src/bundle/lock/format-lock.ts";
import type { Lock } from "../../src/bundle/lock/lock.ts";
import { parseLock } from "../../src/bundle/lock/parse-lock.ts";
import { formatSums } from "../../src/bundle/sums/format-sums.ts";
import { convert, verify } from "../../src/index.ts";
import type { Descriptor } from "../../src/oci/descriptor.ts";
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from "../../src/oci/media-types.ts";
import { BLOCK_BYTES, encodeHeader } from "../../src/tar/header.ts";
import { decodeSize } from "../../src/tar/number.ts";
import { padded } from "../../src/tar/tar-walk.ts";
import { runCommand } from "../support/command-line.ts";
import { fileWith } from "../support/images.ts";
import { archiveBytes } from "../support/memory-archive.ts";
import { noise } from "../support/memory-blobs.ts";
import { memorySource, settledRoot } from "../support/memory-image.ts";

const PIECE_BYTES = 4 * 1024 * 1024;
const source = memorySource();
const layers = [1, 2].map(seed => source.add(OCI_LAYER_GZIP, noise(3000, seed)));
const [first = source.add(OCI_LAYER_GZIP, ""), second = first] = layers;
const image = (layer: Descriptor): Descriptor => {
  const config = source.add(OCI_CONFIG, {
    os: "linux",
    architecture: "amd64",
    rootfs: { type: "layers", diff_ids: [layer.digest] },
  });
  return source.add(OCI_MANIFEST, { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [layer] });
};
const roots = [settledRoot(image(first), "r.lan/one:1"), settledRoot(image(second), "r.lan/two:1")];
const files = filesOf(Buffer.from(await archiveBytes(source, roots)));
const lock = parseLock(files.get(LOCK_FILE) ?? Buffer.alloc(0), { where: "lock" });

function filesOf(bytes: Buffer): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  for (let at = 0; bytes[at] !== 0; ) {
    const size = decodeSize(bytes.subarray(at, at + BLOCK_BYTES), 124, 136) ?? 0;
    const start = at + BLOCK_BYTES;
    found.set(bytes.toString("latin1", at, bytes.indexOf(0, at)), bytes.subarray(start, start + size));
    at = start + padded(size);
  }
  found.delete("imgpack/sums");
  return found;
}

/** The entries with this lock, as imgpack writes them; `sizes` are in headers alone. */
function withLock(changed: Partial<Lock>, without?: Descriptor, sizes: Readonly<Record<string, number>> = {}): Buffer {
  const entries = new Map(files).set(LOCK_FILE, Buffer.from(formatLock({ ...lock, ...changed })));
  if (without !== undefined) entries.delete(nameOf(without));
  const metadata = [...entries].filter(([name]) => !name.startsWith("blobs/"));
  const summed = metadata.map(([name, bytes]) => ({ name, bytes, copy: "text" as const }));
  entries.set("imgpack/sums", Buffer.from(formatSums({ pieceBytes: PIECE_BYTES, files: summed, blobs: [] })));
  const blocks = [...entries].flatMap(([name, bytes]) => {
    const padding = Buffer.alloc(-bytes.length & (BLOCK_BYTES - 1));
    return [encodeHeader(name, sizes[name] ?? bytes.length), bytes, padding];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK_BYTES)]);
}

function nameOf({ digest }: Pick<Descriptor, "digest">): string {
  return `blobs/sha256/${digest.slice(7)}`;
}

describe("a lock that imgpack did not write", () => {
  test("verify does not accept an archive without a layer that the lock does not name either", async () => {
    expect(await verify(await fileWith(withLock({})))).toMatchObject({ faults: [], harmed: [] });
    const blobs = lock.blobs.filter(({ digest }) => digest !== second.digest);
    const path = await fileWith(withLock({ blobs }, second), "site.tar");
    const { faults, harmed, unharmed } = await verify(path);
    expect(faults).toEqual([{ kind: "missing", blob: second.digest, found: "no entry", expected: "3000 bytes" }]);
    expect([harmed, unharmed]).toEqual([["r.lan/two:1"], ["r.lan/one:1"]]);
    const { stderr } = await runCommand("verify", path);
    expect(stderr).toContain("copy it again from its source");
  });

  test("verify names the image that a damaged layer harms, also if the lock does not say what the image has", async () => {
    const images = lock.images.map(row => ({ ...row, manifests: [] }));
    const bytes = withLock({ images });
    const at = bytes.indexOf(`${nameOf(second)}\0`) + BLOCK_BYTES;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    expect(await verify(await fileWith(bytes))).toMatchObject({ harmed: ["r.lan/two:1"], unharmed: ["r.lan/one:1"] });
  });

  test("a cut archive of 64 TiB, as its lock says, is refused at once", async () => {
    const size = 2 ** 46;
    const blobs = lock.blobs.map(blob => (blob.digest === second.digest ? { ...blob, size } : blob));
    const bytes = withLock({ blobs }, undefined, { [nameOf(second)]: size });
    const end = bytes.indexOf(`${nameOf(second)}\0`) + 2 * BLOCK_BYTES;
    const path = await fileWith(bytes.subarray(0, end), "site.tar");
    await expect(verify(path)).rejects.toMatchObject({ exitCode: 3 });
    await expect(convert(path, { output: `${path}.out.tar` })).rejects.toMatchObject({ exitCode: 3 });
  });

  test("a file that begins as a lock at each of its blocks is refused at once", async () => {
    const path = await fileWith(Buffer.alloc(BLOCK_BYTES), "site.tar");
    const block = Buffer.alloc(BLOCK_BYTES, "x");
    block.write('{"format":"imgpack-lock"');
    await writeFile(
      path,
      Buffer.concat([Buffer.alloc(BLOCK_BYTES, "Z"), ...Array.from({ length: 4096 }, () => block)]),
    );
    await expect(verify(path)).rejects.toMatchObject({ exitCode: 3 });
  });
});
