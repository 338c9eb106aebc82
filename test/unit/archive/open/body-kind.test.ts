import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { bodyKind } from "../../../../src/archive/open/body-kind.ts";
import { MAX_ARCHIVE_INDEX_BYTES } from "../../../../src/oci/limits.ts";
import { tarArchive, tarEntry } from "../../../support/tar-builder.ts";

const start = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, 512);
const tar = (name: string): Uint8Array => tarArchive([tarEntry({ name, body: "x" })]);

describe("bodyKind()", () => {
  test.each<[string, Uint8Array, string]>([
    ["a tar", tar("file"), "tar"],
    ["a tar whose first name looks like JSON", tar('{"a":1}'), "tar"],
    ["a tar of nothing", Buffer.alloc(1024), "tar"],
    ["a single block of zeros", Buffer.alloc(512), "other"],
    ["gzip", gzipSync("x"), "gzip"],
    ["zstd", Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0]), "zstd"],
    ["an object", Buffer.from("{}"), "json"],
    ["an array behind spaces", Buffer.from(" \r\n\t[1]"), "json"],
    ["JSON text that is no document", Buffer.from('"text"'), "other"],
    ["a version", Buffer.from("1.0"), "other"],
    ["nothing", Buffer.alloc(0), "other"],
  ])("takes %s for what it is", (_what, bytes, kind) => {
    expect(bodyKind(start(bytes), bytes.length)).toBe(kind);
  });

  test("takes JSON beyond what metadata may be for something else", () => {
    const bytes = Buffer.from("{".padEnd(512));
    expect(bodyKind(bytes, MAX_ARCHIVE_INDEX_BYTES)).toBe("json");
    expect(bodyKind(bytes, MAX_ARCHIVE_INDEX_BYTES + 1)).toBe("other");
  });
});
