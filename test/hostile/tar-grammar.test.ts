import { describe, expect, test } from "vitest";
import { ArchiveError } from "../../src/errors.ts";
import type { TarFile } from "../../src/tar/read-window.ts";
import { indexTar } from "../../src/tar/tar-index.ts";
import { gnuLong, memoryTar, paxEntry, paxRecord, tarArchive, tarEntry } from "../support/tar-builder.ts";

async function verdict(file: TarFile): Promise<string> {
  try {
    await indexTar(file);
    return "accepted";
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    return error.reason;
  }
}
const verdictOf = (...entries: Uint8Array[]): Promise<string> => verdict(memoryTar(tarArchive(entries)));
const file = tarEntry({ name: "a", body: "x" });

describe("tar numbers", () => {
  const eightGiB = 2 ** 33;
  /** Only the headers exist; the body is a hole. */
  function sparseTar(head: Uint8Array, size: number): TarFile {
    const read = (target: Uint8Array, position: number): Promise<number> => {
      target.fill(0);
      if (position < head.length) target.set(head.subarray(position, position + target.length));
      return Promise.resolve(Math.min(target.length, size - position));
    };
    return { size, read };
  }

  test.each<[string, string]>([
    ["-1", "bad-size"],
    ["", "bad-size"],
    ["           \0", "bad-size"],
    ["00000000018\0", "bad-size"],
    ["0000\x0000001\0", "bad-size"],
    ["0x1", "bad-size"],
  ])("T-02 a size field of %j is refused", async (sizeField, reason) => {
    expect(await verdictOf(tarEntry({ name: "a", sizeField }), file)).toBe(reason);
  });

  test("T-04 sizes beyond 2^53 - 1 are refused, in both base-256 signs (CVE-2025-8194, CVE-2026-59874)", async () => {
    for (const first of [0x80, 0x81, 0xc0, 0xff]) {
      const sizeField = new Uint8Array(12).fill(0xff);
      sizeField[0] = first;
      expect(await verdictOf(tarEntry({ name: "a", sizeField }), file)).toBe("bad-size");
    }
  });

  test("T-22 a base-256 size larger than the file is refused at its header", async () => {
    const sizeField = Uint8Array.of(0x80, 0, 0, 0, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
    const memory = memoryTar(tarArchive([tarEntry({ name: "a", sizeField }), file]));
    expect(await verdict(memory)).toBe("truncated");
    expect(memory.reads).toHaveLength(1);
  });

  test.each([
    [eightGiB - 1, "pax-size-over-empty"],
    [eightGiB, "accepted"],
    [eightGiB + 1, "accepted"],
  ])("T-02 PAX size %i over header size 0 is %s", async (size, expected) => {
    const head = Buffer.concat([paxEntry({ size: String(size) }), tarEntry({ name: "big", size: 0 })]);
    expect(await verdict(sparseTar(head, head.length + Math.ceil(size / 512) * 512 + 1024))).toBe(expected);
  });

  test("T-02 big ids, old dates and PAX attributes are genuine", async () => {
    const patches = { 108: Uint8Array.of(0x80, 0, 0, 0, 0x7f, 0, 0, 1), 136: new Uint8Array(12).fill(0xff) };
    const xattr = Uint8Array.of(1, 0, 0, 2, 0xff, 0, 10, 61);
    const records = { mtime: "-1.5", uid: "4294967294", "SCHILY.xattr.security.capability": xattr };
    expect(await verdictOf(paxEntry(records), tarEntry({ name: "a", patches }))).toBe("accepted");
  });
});

describe("tar type flags", () => {
  const accepted = new Set([0x00, 0x30]);
  const headerOnly = new Map([
    [0x31, "hardlink-with-body"],
    [0x32, "symlink-with-body"],
    [0x35, "directory-with-body"],
  ]);
  const pax = new Set([0x78, 0x67]);
  const gnu = new Set([0x4c, 0x4b]);

  test("T-27 of all type flags with size 0, exactly the listed ones are accepted", async () => {
    for (let type = 0; type < 256; type += 1) {
      const found = await verdictOf(tarEntry({ name: "n", linkName: "a", type }), file);
      if (accepted.has(type) || headerOnly.has(type)) expect(found, `0x${type.toString(16)}`).toBe("accepted");
      else if (pax.has(type)) expect(found).toBe("pax-empty");
      else if (gnu.has(type)) expect(found).toBe("gnu-name-without-nul");
      else expect(found, `0x${type.toString(16)}`).toBe(type === 0x53 ? "sparse-entry" : "bad-type");
    }
  });

  test("T-27 of all type flags with size 512, exactly files and well-formed extensions are accepted", async () => {
    for (let type = 0; type < 256; type += 1) {
      const record = paxRecord("comment", "c".repeat(512 - "512 comment=\n".length));
      const body = pax.has(type) ? record : "long".padEnd(512, "\0");
      const entry = tarEntry({ name: "n", linkName: "a", type, body });
      const link = tarEntry({ name: "link", type: "2", linkName: "a" });
      const found = await verdictOf(entry, type === 0x4b ? link : tarEntry({ name: "b" }), file);
      const isFine = accepted.has(type) || pax.has(type) || gnu.has(type);
      const expected = isFine ? "accepted" : (headerOnly.get(type) ?? (type === 0x53 ? "sparse-entry" : "bad-type"));
      expect(found, `0x${type.toString(16)}`).toBe(expected);
    }
  });

  test.each<[string, Uint8Array[], string]>([
    ["old GNU", [tarEntry({ name: "a", type: "S", magic: "gnu" })], "sparse-entry"],
    ["0.0", [paxEntry({ "GNU.sparse.size": "9", "GNU.sparse.offset": "1" }), file], "sparse-entry"],
    ["0.1", [paxEntry({ "GNU.sparse.map": "0,1" }), file], "sparse-entry"],
    ["1.0", [paxEntry({ "GNU.sparse.major": "1", "GNU.sparse.minor": "0" }), file], "sparse-entry"],
    ["1.0 in part", [paxEntry({ "GNU.sparse.realsize": "9" }), file], "sparse-entry"],
    ["star's", [paxEntry({ "SCHILY.realsize": "9" }), file], "sparse-entry"],
  ])("T-20 a sparse file (%s) is refused (CVE-2025-58183, CVE-2026-32288)", async (_, entries, reason) => {
    expect(await verdictOf(...entries)).toBe(reason);
  });

  test.each<[string, Uint8Array, string]>([
    ["star", tarEntry({ patches: { 508: "tar\0" } }), "star-header"],
    ["HP-UX version bytes", tarEntry({ magic: Buffer.from("ustar\0\0\0") }), "bad-magic"],
    ["a foreign magic", tarEntry({ magic: Buffer.from("ustar 00") }), "bad-magic"],
    ["v7 with bytes behind the link name", tarEntry({ magic: "v7", patches: { 345: "p" } }), "bad-magic"],
    ["GNU with prefix bytes", tarEntry({ magic: "gnu", patches: { 345: "p" } }), "gnu-prefix"],
    ["Solaris ACL", tarEntry({ type: "A", body: "acl" }), "bad-type"],
  ])("T-28 %s is refused", async (_, entry, reason) => {
    expect(await verdictOf(entry, file)).toBe(reason);
  });

  test("T-28 a v7 header is accepted", async () => {
    expect(await verdictOf(tarEntry({ name: "a", magic: "v7", body: "x" }))).toBe("accepted");
  });

  test.each([0, 1, 18])("T-28 concatenated archives are refused, %i zero blocks behind the first end", async blocks => {
    const two = [file, new Uint8Array(1024 + 512 * blocks), tarEntry({ name: "b" })];
    expect(await verdictOf(...two)).toBe("data-after-end");
  });

  test("T-28 one stray byte megabytes behind the end is refused", async () => {
    const bytes = Buffer.from(tarArchive([file], 8192));
    expect(await verdict(memoryTar(bytes))).toBe("accepted");
    bytes[bytes.length - 1] = 1;
    expect(await verdict(memoryTar(bytes))).toBe("data-after-end");
  });
});

describe("tar extensions", () => {
  const records = (count: number): Uint8Array =>
    tarEntry({ type: "x", body: Buffer.concat(Array.from({ length: count }, (_, at) => paxRecord(`k.${at}`, ""))) });
  const raw = (body: string | Uint8Array): Uint8Array => tarEntry({ type: "x", body });

  test("T-21 a PAX block over 1 MiB is refused at its header (CVE-2022-2879)", async () => {
    const comment = (bytes: number): Uint8Array => raw(paxRecord("comment", "c".repeat(bytes)));
    const overhead = "1048576 comment=\n".length;
    expect(await verdictOf(comment(2 ** 20 - overhead), file)).toBe("accepted");
    const memory = memoryTar(tarArchive([comment(2 ** 20 - overhead + 1), file]));
    expect(await verdict(memory)).toBe("pax-too-large");
    expect(memory.reads).toHaveLength(1);
  });

  test("T-21 more than 10 000 PAX records are refused", async () => {
    expect(await verdictOf(records(10_000), file)).toBe("accepted");
    expect(await verdictOf(records(10_001), file)).toBe("pax-too-many-records");
  });

  test.each<[string, string | Uint8Array, string]>([
    ["a length beyond the block", "99 path=a\n", "pax-bad-length"],
    ["a length that is too short", "3 path=a\n", "pax-no-newline"],
    ["a length of 0", "0 path=a\n", "pax-bad-length"],
    ["a leading zero", "010 path=a\n", "pax-bad-length"],
    ["a length without a blank", "9path=ab\n", "pax-bad-length"],
    ["a sign", "+9 path=a\n", "pax-bad-length"],
    ["a length of 30 digits", `${"1".repeat(30)} path=a\n`, "pax-bad-length"],
    ["a tail of NULs", "9 path=a\n\0\0\0", "pax-bad-length"],
    ["no newline", "9 path=ab", "pax-no-newline"],
    ["no equals sign", "8 path_\n", "pax-no-key"],
    ["an empty key", "5 =a\n", "pax-no-key"],
    ["a NUL in its key", paxRecord("pa\0th", "a"), "pax-nul"],
    ["a path that is not UTF-8", paxRecord("path", Uint8Array.of(0x61, 0xff)), "pax-not-utf8"],
    ["an overlong UTF-8 path", paxRecord("path", Uint8Array.of(0xc0, 0xaf)), "pax-not-utf8"],
    ["an empty path", paxRecord("path", ""), "pax-empty-value"],
    ["an empty linkpath", paxRecord("linkpath", ""), "pax-empty-value"],
    ["an empty size", paxRecord("size", ""), "pax-empty-value"],
    ["a negative size", paxRecord("size", "-1"), "pax-bad-number"],
    ["a size with an exponent", paxRecord("size", "1e1"), "pax-bad-number"],
    ["a size with a leading zero", paxRecord("size", "01"), "pax-bad-number"],
    ["a size of 2^53", paxRecord("size", "9007199254740992"), "pax-bad-number"],
    ["a word for a time", paxRecord("mtime", "now"), "pax-bad-number"],
    ["a foreign charset", paxRecord("hdrcharset", "BINARY"), "pax-charset"],
  ])("T-21 a PAX block with %s is refused", async (_, body, reason) => {
    expect(await verdictOf(raw(body), file)).toBe(reason);
  });

  test("T-05 a NUL in a PAX linkpath is refused (CVE-2026-59875)", async () => {
    const link = tarEntry({ name: "l", type: "2", linkName: "a" });
    expect(await verdictOf(paxEntry({ linkpath: "a\0b" }), link, file)).toBe("pax-nul");
  });

  test("T-03 a PAX path of digits stays text (CVE-2026-59871)", async () => {
    const index = await indexTar(memoryTar(tarArchive([paxEntry({ path: "0012" }), file])));
    expect([...index.entries.keys()]).toEqual(["0012"]);
  });

  test("T-22 a GNU long name over 64 KiB is refused at its header, one without NUL after it", async () => {
    const long = (body: string): Uint8Array => tarEntry({ name: "././@LongLink", type: "L", magic: "gnu", body });
    expect(await verdictOf(long("n".repeat(65_537)), file)).toBe("gnu-name-too-long");
    expect(await verdictOf(long(`${"n".repeat(65_535)}\0`), file)).toBe("name-too-long");
    expect(await verdictOf(long("name"), file)).toBe("gnu-name-without-nul");
    expect(await verdictOf(long("name\0junk"), file)).toBe("bytes-after-nul");
  });

  test.each<[string, Uint8Array[], string]>([
    ["two PAX headers", [paxEntry({ mtime: "1" }), paxEntry({ mtime: "2" }), file], "repeated-meta"],
    ["two GNU long names", [gnuLong("a"), gnuLong("b"), file], "repeated-meta"],
    ["GNU long name, then PAX", [gnuLong("a"), paxEntry({ mtime: "1" }), file], "mixed-meta"],
    [
      "a global header behind a PAX header",
      [paxEntry({ mtime: "1" }), paxEntry({ comment: "c" }, "g"), file],
      "orphaned-meta",
    ],
    ["an extension before the end", [file, paxEntry({ mtime: "1" })], "orphaned-meta"],
    ["a GNU long link before a file", [gnuLong("x", "K"), file], "link-target-without-link"],
    ["a global path", [paxEntry({ path: "b" }, "g"), file], "pax-global"],
  ])("T-02 / 06 %s is refused", async (_, entries, reason) => {
    expect(await verdictOf(...entries)).toBe(reason);
  });

  test("T-06 a name of thousands of segments is refused (CVE-2026-73566)", async () => {
    expect(await verdictOf(gnuLong(`${"d/".repeat(2000)}f`), file)).toBe("name-too-deep");
  });
});
