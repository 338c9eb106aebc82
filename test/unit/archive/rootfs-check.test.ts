import { describe, expect, test } from "vitest";
import { RootfsCheck } from "../../../src/archive/rootfs-check.ts";
import { ArchiveError } from "../../../src/errors.ts";
import { gnuLong, paxEntry, tarArchive, tarEntry } from "../../support/tar-builder.ts";

function check(bytes: Uint8Array, partBytes: number): void {
  const rootfs = new RootfsCheck('file "x"');
  for (let at = 0; at < bytes.length; at += partBytes) rootfs.take(bytes.subarray(at, at + partBytes));
  rootfs.end();
}

const manifest = '[{"Config":"c.json","RepoTags":["a:1"],"Layers":["l.tar"]}]';
const long = "n".repeat(150);

const rootfs: readonly (readonly [string, Uint8Array])[] = [
  ["nothing but zeros", new Uint8Array(1024)],
  ["a device", tarArchive([tarEntry({ name: "dev/null", type: "3" })])],
  ["a hard link that says a size", tarArchive([tarEntry({ type: "1", size: 7, linkName: "a" }), tarEntry({})])],
  ["long names", tarArchive([gnuLong(long), tarEntry({ name: "n" }), paxEntry({ path: long }), tarEntry({})])],
  ["a sparse file", tarArchive([tarEntry({ type: "S", magic: "gnu", body: "x" })])],
  ["bytes behind its end", Buffer.concat([tarArchive([tarEntry({})]), Buffer.from("more")])],
  ["a manifest.json of its own", tarArchive([tarEntry({ name: "manifest.json", body: '{"name":"web app"}' })])],
  ["an empty manifest.json", tarArchive([tarEntry({ name: "manifest.json" }), tarEntry({ body: manifest })])],
  ["an image's manifest.json further below", tarArchive([tarEntry({ name: "a/manifest.json", body: manifest })])],
];

describe("RootfsCheck", () => {
  for (const partBytes of [100, 512, 65_536]) {
    test.each(rootfs)(`passes a tar with %s, in parts of ${partBytes} bytes`, (_what, bytes) => {
      expect(() => check(bytes, partBytes)).not.toThrow();
    });

    test.each([
      ["manifest.json", manifest],
      ["./manifest.json", manifest],
      ["manifest.json", `${manifest}${" ".repeat(9000)}`],
      ["oci-layout", '{"imageLayoutVersion":"1.0.0"}'],
    ])(`refuses an image archive by its %s, in parts of ${partBytes} bytes`, (name, body) => {
      const bytes = tarArchive([tarEntry({ name: "layer.tar", body: "x".repeat(600) }), tarEntry({ name, body })]);
      expect(() => check(bytes, partBytes)).toThrow(
        'Cannot import file "x": it is an image archive, expected a root filesystem tar',
      );
    });

    test(`refuses what is no tar, in parts of ${partBytes} bytes`, () => {
      const fault = 'Cannot import file "x": it looks like text, expected a root filesystem tar';
      expect(() => check(Buffer.from("text ".repeat(300)), partBytes)).toThrow(fault);
    });
  }

  test("refuses a tar that ends in the middle of an entry, and takes one without its padding and end", () => {
    const tar = tarArchive([tarEntry({ name: "a", body: "x".repeat(700) })]);
    expect(() => check(tar.subarray(0, 512 + 699), 100)).toThrow("ends in the middle of an entry");
    expect(() => check(tar.subarray(0, 512 + 700), 100)).not.toThrow();
  });

  test("refuses an empty file and one shorter than a header", () => {
    expect(() => check(new Uint8Array(0), 10)).toThrow(ArchiveError);
    expect(() => check(new Uint8Array(0), 10)).toThrow("it is empty");
    expect(() => check(Buffer.from("short"), 10)).toThrow("it looks like text of 5 bytes");
  });
});
