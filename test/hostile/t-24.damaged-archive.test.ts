// T-24 for archives that are read by their lock and their sums: what these claim costs no more than what the file has.
import { open } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { blobName } from "../../src/archive/blob-name.ts";
import { DamagedFile } from "../../src/archive/damage/damaged-file.ts";
import { findLock, leadingHeaders } from "../../src/archive/damage/find-metadata.ts";
import { openLayout } from "../../src/archive/damage/open-layout.ts";
import { KnownLocks } from "../../src/archive/lock/known-locks.ts";
import { formatLock, LOCK_FILE, lockOf } from "../../src/bundle/lock/format-lock.ts";
import { sha256 } from "../../src/bundle/sums/format-sums.ts";
import { verify } from "../../src/index.ts";
import { type Digest, digestOf } from "../../src/oci/digest.ts";
import { encodeHeader } from "../../src/tar/header.ts";
import { fileWith, temporaryFolder } from "../support/images.ts";

const TEBIBYTE = 2 ** 40;
const layer = digestOf(Buffer.from("layer"));
const lock = formatLock(
  lockOf({
    platforms: ["all"],
    sparse: "keep",
    referrers: false,
    images: [],
    left: [],
    blobs: [{ digest: layer, size: TEBIBYTE, kind: "layer", repositories: [] }],
  }),
);

function filled(text: string): Uint8Array {
  return Buffer.concat([Buffer.from(text), Buffer.alloc(511 - ((text.length + 511) % 512))]);
}

function entry(name: string, text: string): Uint8Array {
  return Buffer.concat([encodeHeader(name, text.length), filled(text)]);
}

/** A lock, the header of a layer of 1 TiB, and sums in place of nearly all of its bytes. */
function cutArchive(sums: string): Uint8Array {
  const files = [entry("oci-layout", "{}"), entry(LOCK_FILE, lock), encodeHeader(blobName(layer), TEBIBYTE)];
  return Buffer.concat([...files, filled(sums), Buffer.alloc(1024)]);
}

function sumsOf(pieceBytes: number, digest: Digest, sum?: string): string {
  const row = `${JSON.stringify(["oci-layout", 2, sha256("{}"), "{}"])},\n${JSON.stringify([LOCK_FILE, lock.length, sha256(lock), lock])}`;
  const text = `{"format":"imgpack-sums","version":1,"pieceBytes":${pieceBytes},\n"files":[\n${row}],\n"blobs":[\n${JSON.stringify([digest, ["0".repeat(64)]])}],\n`;
  return `${text}"sum":"${sum ?? sha256(text)}"}\n`;
}

describe("T-24 an archive that is read by its lock and its sums", () => {
  test("pieces of one byte of a layer of 1 TiB are not listed", async () => {
    const { faults } = await verify(await fileWith(cutArchive(sumsOf(1, layer)), "site.tar"));
    expect(faults.map(({ kind }) => kind)).toContain("cut");
  });

  test("nor are they for sums that are damaged themselves, whose size is asked for", async () => {
    const path = await fileWith(cutArchive(sumsOf(1, layer, "0".repeat(64))), "site.tar");
    expect(await openLayout(path, new KnownLocks())).toBeUndefined();
  });

  test("a file of nothing that begins as a lock is given up after some of them", async () => {
    const start = Buffer.alloc(512, " ");
    start.write('{"format":"imgpack-lock"');
    const path = join(await temporaryFolder(), "site.tar");
    await using file = await open(path, "w+");
    await file.write(Buffer.concat(Array.from({ length: 1000 }, () => start)));
    let bytes = 0;
    class CountedFile extends DamagedFile {
      override async read(position: number, length: number): Promise<Buffer> {
        const found = await super.read(position, length);
        bytes += found.length;
        return found;
      }
    }
    const counted = new CountedFile(path, file, await file.stat());
    expect(await findLock(counted, { headers: [], sums: undefined, locks: new KnownLocks() })).toBeUndefined();
    expect(bytes).toBeLessThan(20 * 512_000);
  });

  test("more headers than an archive may have entries are not read", async () => {
    const path = join(await temporaryFolder(), "site.tar");
    await using file = await open(path, "w+");
    await file.write(Buffer.concat(Array.from({ length: 20 }, () => encodeHeader("x", 0))));
    expect(await leadingHeaders(new DamagedFile(path, file, await file.stat()), undefined, 10)).toHaveLength(10);
  });
});
