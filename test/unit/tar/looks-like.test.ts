import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { looksLike, notATar } from "../../../src/tar/looks-like.ts";

test.each<[string, Uint8Array]>([
  ["gzip data", gzipSync("x")],
  ["zstd data", Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0)],
  ["a zip file", Buffer.from("PK\x03\x04....")],
  ["a need list", Buffer.from('{"format":"imgpack-need","version":1')],
  ["a lock", Buffer.from('{"format":"imgpack-lock","version":1')],
  ["JSON", Buffer.from(' \n[{"Config":1}]')],
  ["a web page", Buffer.from("<!DOCTYPE html><html>")],
  ["text", Buffer.from("hello\n")],
  ["a Git LFS pointer", Buffer.from("version https://git-lfs.github.com/spec/v1\n")],
  ["UTF-16 text", Uint8Array.of(0xff, 0xfe, 0x6f, 0)],
  ["UTF-16 text", Uint8Array.of(0xfe, 0xff, 0, 0x6f)],
  ["UTF-8 text", Uint8Array.of(0xef, 0xbb, 0xbf, 0x6f)],
  ["binary data that was turned into text", Buffer.from(gzipSync("x").toString("utf8"))],
  ["unknown data (00 01 02 fe)", Uint8Array.of(0, 1, 2, 254)],
])("looksLike() says %s", (expected, bytes) => {
  expect(looksLike(bytes).name).toBe(expected);
});

test("notATar() tells an empty file from a foreign one", () => {
  expect(notATar(new Uint8Array(), 0, 'archive "a.tar"').message).toBe(
    'Cannot read archive "a.tar": it is an empty file, expected an image archive',
  );
  expect(notATar(gzipSync("x"), 21, 'archive "a.tar"').message).toBe(
    'Cannot read archive "a.tar": it looks like gzip data of 21 bytes, expected an image archive',
  );
});

test.each<[string, Uint8Array, string]>([
  ["PowerShell's >", Uint8Array.of(0xff, 0xfe, 0x6f, 0), '"docker save -o FILE IMAGE"'],
  ["a login page", Buffer.from("<!DOCTYPE html><html>"), "download it again"],
  ["a Git LFS pointer", Buffer.from("version https://git-lfs.github.com/spec/v1\n"), '"git lfs pull"'],
])("notATar() says what to do about %s", (_what, bytes, advice) => {
  expect(notATar(bytes, bytes.length, "it").hint).toContain(advice);
});
