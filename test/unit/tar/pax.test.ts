import { expect, test } from "vitest";
import { decodePax } from "../../../src/tar/pax.ts";
import { paxRecord } from "../../support/tar-builder.ts";

const place = { what: 'archive "app.tar"', offset: 512 };

test("decodePax() returns path, link target and size, and ignores the rest", () => {
  const body = Buffer.concat([
    paxRecord("path", "a=b\nc"),
    paxRecord("linkpath", "../x"),
    paxRecord("size", "8589934592"),
    paxRecord("mtime", "1.25"),
    paxRecord("uid", "4294967295"),
    paxRecord("uname", ""),
    paxRecord("hdrcharset", "ISO-IR 10646 2000 UTF-8"),
    paxRecord("LIBARCHIVE.xattr.user.x", Uint8Array.of(0, 255, 10)),
  ]);
  expect(decodePax(body, "entry", place)).toEqual({ path: "a=b\nc", linkPath: "../x", size: 8589934592 });
});

test("decodePax() takes an empty block", () => {
  expect(decodePax(new Uint8Array(), "entry", place)).toEqual({});
});

test("decodePax() takes a comment in a global header, as git archive writes it", () => {
  expect(decodePax(paxRecord("comment", "1234567890abcdef"), "global", place)).toEqual({});
});

test("decodePax() names the header's offset, the key and the archive", () => {
  const twice = Buffer.concat([paxRecord("path", "a"), paxRecord("path", "b")]);
  expect(() => decodePax(twice, "entry", place)).toThrow(
    'Cannot read header at byte 512 from archive "app.tar": PAX key "path" is repeated, expected each key once',
  );
});
