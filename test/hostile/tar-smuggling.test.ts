import { describe, expect, test } from "vitest";
import { ArchiveError } from "../../src/errors.ts";
import { indexTar } from "../../src/tar/tar-index.ts";
import { gnuLong, memoryTar, paxEntry, paxRecord, tarArchive, tarEntry } from "../support/tar-builder.ts";

// Each archive holds a good manifest.json and a planted one; the cases are rows of the smuggling matrix.
const GOOD = '[{"Config":"good.json"}]';
const EVIL = '[{"Config":"evil.json"}]';
const good = tarEntry({ name: "manifest.json", body: GOOD });
const evil = tarEntry({ name: "manifest.json", body: EVIL });
const length = evil.length;

async function reasonOf(bytes: Uint8Array): Promise<string> {
  try {
    await indexTar(memoryTar(bytes), { what: 'archive "app.tar"' });
    return "accepted";
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    expect(error.message).toMatch(
      /^Cannot read (header|entry ".*") at byte \d+ from archive "app\.tar": .+, expected .+/,
    );
    expect(error.hint).toMatch(/\.$/);
    return error.reason;
  }
}

const base256 = (...tail: number[]): Uint8Array =>
  Uint8Array.from([...Array<number>(12 - tail.length).fill(0), ...tail]);

describe("T-02 smuggling matrix: a control is accepted", () => {
  const positive = base256(GOOD.length);
  positive[0] = 0x80;
  test.each<[string, Uint8Array[]]>([
    ["00 plain archive", [good]],
    ["07 positive base-256 size", [tarEntry({ name: "manifest.json", body: GOOD, sizeField: positive })]],
    ["09 blank-padded octal size", [tarEntry({ name: "manifest.json", body: GOOD, sizeField: "         30 " })]],
    ["24 Manifest.json beside manifest.json", [tarEntry({ name: "Manifest.json", body: EVIL }), good]],
  ])("T-02 / %s is accepted", async (_, entries) => {
    const index = await indexTar(memoryTar(tarArchive(entries)));
    const entry = index.resolve("manifest.json");
    expect(entry.size).toBe(GOOD.length);
    const body = tarArchive(entries).subarray(entry.bodyOffset, entry.bodyOffset + entry.size);
    expect(Buffer.from(body).toString()).toBe(GOOD);
    expect(index.warnings).toEqual([]);
  });
});

describe("T-02 smuggling matrix: an attack is refused for its own reason", () => {
  const renamed = tarEntry({ name: "innocent", body: EVIL });
  test.each<[string, string, Uint8Array]>([
    ["01 two different manifest.json", "duplicate-name", tarArchive([good, evil])],
    [
      "02 second one named ./manifest.json",
      "duplicate-cleaned-name",
      tarArchive([good, tarEntry({ name: "./manifest.json", body: EVIL })]),
    ],
    [
      "03 PAX size over header size 0",
      "pax-size-over-empty",
      tarArchive([paxEntry({ size: String(length) }), tarEntry({ name: "layer.tar", body: evil, size: 0 }), good]),
    ],
    [
      "04 PAX size 0 over header size n",
      "pax-size-mismatch",
      tarArchive([paxEntry({ size: "0" }), tarEntry({ name: "layer.tar", body: evil }), good]),
    ],
    [
      "05 global PAX size",
      "pax-global",
      tarArchive([paxEntry({ size: "0" }, "g"), tarEntry({ name: "layer.tar", body: evil }), good]),
    ],
    [
      "06 PAX size, then a GNU long name, then the file",
      "mixed-meta",
      tarArchive([paxEntry({ size: String(length) }), gnuLong("layer.tar"), tarEntry({ body: evil }), good]),
    ],
    [
      "08 negative base-256 size",
      "bad-size",
      tarArchive([tarEntry({ name: "layer.tar", sizeField: new Uint8Array(12).fill(0xff), body: evil }), good]),
    ],
    [
      "10 directory with a size",
      "directory-with-body",
      tarArchive([tarEntry({ name: "d/", type: "5", body: evil }), good]),
    ],
    [
      "11 symlink with a size",
      "symlink-with-body",
      tarArchive([tarEntry({ name: "s", type: "2", linkName: "x", body: evil }), good]),
    ],
    [
      "12 hard link with a size",
      "hardlink-with-body",
      tarArchive([tarEntry({ name: "h", type: "1", linkName: "x", body: evil }), good]),
    ],
    [
      "13 unknown type flag with a body",
      "bad-type",
      tarArchive([tarEntry({ name: "u", type: "Q", body: evil }), good]),
    ],
    ["14 one zero block, then another entry", "data-after-zero-block", tarArchive([good, new Uint8Array(512), evil])],
    ["15 two zero blocks, then another entry", "data-after-end", tarArchive([good, new Uint8Array(1024), evil])],
    [
      "16 PAX path that renames an entry",
      "duplicate-pax-name",
      tarArchive([good, paxEntry({ path: "manifest.json" }), renamed]),
    ],
    [
      "16 PAX path on the first of two",
      "duplicate-pax-name",
      tarArchive([paxEntry({ path: "manifest.json" }), renamed, good]),
    ],
    ["17 PAX path with NUL", "pax-nul", tarArchive([paxEntry({ path: "manifest.json\0.bak" }), renamed, good])],
    [
      "18 two PAX path records",
      "pax-repeated-key",
      tarArchive([
        tarEntry({ type: "x", body: Buffer.concat([paxRecord("path", "a"), paxRecord("path", "manifest.json")]) }),
        renamed,
        good,
      ]),
    ],
    [
      "19 GNU long name that renames an entry",
      "duplicate-gnu-name",
      tarArchive([good, gnuLong("manifest.json"), renamed]),
    ],
    [
      "20 name field with bytes after its NUL",
      "bytes-after-nul",
      tarArchive([tarEntry({ name: "manifest.json\0junk", body: EVIL }), good]),
    ],
    [
      "21 first entry with a wrong checksum",
      "bad-checksum",
      tarArchive([tarEntry({ name: "manifest.json", body: EVIL, checksumField: "012345\0 " }), good]),
    ],
    [
      "22 manifest.json is a symlink",
      "metadata-symlink",
      tarArchive([
        tarEntry({ name: "planted", body: EVIL }),
        tarEntry({ name: "manifest.json", type: "2", linkName: "planted" }),
      ]),
    ],
    [
      "23 manifest.json is a hard link",
      "metadata-hardlink",
      tarArchive([
        tarEntry({ name: "planted", body: EVIL }),
        tarEntry({ name: "manifest.json", type: "1", linkName: "planted" }),
      ]),
    ],
    [
      "25 x/../manifest.json",
      "dot-dot-segment",
      tarArchive([tarEntry({ name: "x/../manifest.json", body: EVIL }), good]),
    ],
    ["26 /manifest.json", "absolute-name", tarArchive([tarEntry({ name: "/manifest.json", body: EVIL }), good])],
  ])("T-02 / %s is refused as %s", async (_, reason, bytes) => {
    expect(await reasonOf(bytes)).toBe(reason);
  });

  test("T-02 / 01 a repeat that is the same in every bit has its own reason", async () => {
    expect(await reasonOf(tarArchive([good, good]))).toBe("duplicate-identical");
    const body = Buffer.alloc(200_000, 7);
    const other = Buffer.from(body);
    other[199_999] = 8;
    const [a, b] = [tarEntry({ name: "layer", body }), tarEntry({ name: "layer", body: other })];
    expect(await reasonOf(tarArchive([a, a]))).toBe("duplicate-identical");
    expect(await reasonOf(tarArchive([a, b]))).toBe("duplicate-name");
  });

  test.each(["index.json", "oci-layout", "./manifest.json"])("T-02 / 22 %s may not be a symlink", async name => {
    const link = tarEntry({ name, type: "2", linkName: "planted" });
    expect(await reasonOf(tarArchive([tarEntry({ name: "planted" }), link]))).toBe("metadata-symlink");
  });

  test.each<[string, Uint8Array[]]>([
    ["file first", [tarEntry({ name: "a" }), tarEntry({ name: "a/b" })]],
    ["file last", [tarEntry({ name: "a/b" }), tarEntry({ name: "a" })]],
    ["explicit folder", [tarEntry({ name: "a/", type: "5" }), tarEntry({ name: "a" })]],
    ["folder last", [tarEntry({ name: "a" }), tarEntry({ name: "a/", type: "5" })]],
    ["link on the way", [tarEntry({ name: "a", type: "2", linkName: "b" }), tarEntry({ name: "a/x/y/manifest.json" })]],
  ])("T-02 / an entry under a path that is also a file (%s) is refused", async (_, entries) => {
    expect(await reasonOf(tarArchive(entries))).toBe("file-and-folder");
  });

  test("T-02 / a PAX header named like a real entry hides nothing", async () => {
    const meta = tarEntry({ name: "manifest.json", type: "x", body: paxRecord("mtime", "1.5") });
    const index = await indexTar(memoryTar(tarArchive([meta, tarEntry({ name: "a" }), good])));
    expect([...index.entries.keys()]).toEqual(["a", "manifest.json"]);
  });
});
