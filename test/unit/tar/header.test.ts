import { extract, type Header } from "tar-stream";
import { expect, test } from "vitest";
import { ArchiveError } from "../../../src/errors.ts";
import { decodeHeader, encodeHeader, hasChecksum } from "../../../src/tar/header.ts";
import { tarEntry } from "../../support/tar-builder.ts";

const place = { what: 'archive "app.tar"', offset: 1024 };
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

function failure(block: Uint8Array): ArchiveError {
  try {
    decodeHeader(block, place);
  } catch (error) {
    if (error instanceof ArchiveError) return error;
  }
  throw new Error("accepted");
}

test("encodeHeader() writes a header that tar-stream reads back, with every field fixed", async () => {
  const reader = extract();
  const seen = new Promise<Header>(resolve => {
    reader.on("entry", (header, stream, next) => {
      resolve(header);
      stream.resume();
      next();
    });
  });
  reader.end(Buffer.concat([encodeHeader("oci-layout", 30), Buffer.alloc(512)]));
  expect(await seen).toMatchObject({
    name: "oci-layout",
    size: 30,
    type: "file",
    mode: 0o644,
    uid: 0,
    gid: 0,
    uname: "",
    gname: "",
    mtime: new Date(0),
    devmajor: 0,
    devminor: 0,
  });
});

test("encodeHeader() ends the checksum with six digits, NUL and blank", () => {
  expect(textOf(encodeHeader("a", 1).subarray(148, 156))).toMatch(/^[0-7]{6}\0 $/);
});

test.each([
  [0, "00000000000\0"],
  [2 ** 33 - 1, "77777777777\0"],
])("encodeHeader() writes size %i as eleven octal digits and NUL", (size, field) => {
  expect(textOf(encodeHeader("a", size).subarray(124, 136))).toBe(field);
});

test("encodeHeader() writes sizes from 8 GiB on in base-256", () => {
  const field = encodeHeader("a", 2 ** 33).subarray(124, 136);
  expect([...field]).toEqual([0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0]);
});

test("decodeHeader() joins prefix and name of a ustar header only", () => {
  const header = decodeHeader(tarEntry({ name: "b", prefix: "a/dir" }), place);
  expect(textOf(header.name)).toBe("a/dir/b");
});

test("decodeHeader() takes a name of exactly 100 bytes without NUL", () => {
  expect(textOf(decodeHeader(tarEntry({ name: "n".repeat(100) }), place).name)).toBe("n".repeat(100));
});

test.each([
  ["0", "file"],
  ["\0", "file"],
  ["1", "hardlink"],
  ["2", "symlink"],
  ["5", "directory"],
  ["x", "pax"],
  ["g", "pax-global"],
  ["L", "gnu-long-name"],
  ["K", "gnu-long-link"],
])("decodeHeader() reads type flag %j as %s", (type, expected) => {
  expect(decodeHeader(tarEntry({ type }), place).type).toBe(expected);
});

test("decodeHeader() names entry, offset, both checksums and what to do", () => {
  const error = failure(tarEntry({ name: "blobs/x", checksumField: "000001\0 " }));
  expect(error.reason).toBe("bad-checksum");
  expect(error.message).toMatch(
    /^Cannot read entry "blobs\/x" at byte 1024 from archive "app\.tar": its checksum says 1, expected \d+$/,
  );
  expect(error.hint).toMatch(/compare its digest/);
});

test("decodeHeader() escapes terminal codes of a hostile name", () => {
  expect(failure(tarEntry({ name: "\u001b[2J", type: "Q" })).message).toContain('"\\u{1b}[2J"');
});

test("hasChecksum() sees every changed bit outside the checksum field", () => {
  const block = Buffer.from(tarEntry({ name: "a" }));
  expect(hasChecksum(block)).toBe(true);
  for (let at = 0; at < 512; at += 1) {
    if (at >= 148 && at < 156) continue;
    block[at] = (block[at] ?? 0) ^ 4;
    expect(hasChecksum(block)).toBe(false);
    block[at] = (block[at] ?? 0) ^ 4;
  }
});

test("decodeHeader() takes v7 headers as GNU tar writes them, with device numbers behind no magic", () => {
  const block = tarEntry({ name: "d/", type: "5", magic: "v7", patches: { 329: "0000000\x000000000\0" } });
  expect(decodeHeader(block, place).type).toBe("directory");
});
