import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { type ChooseHandlerByKind, StreamedArchive } from "../../../../src/archive/open/streamed-archive.ts";
import { sharedChunks } from "../../../../src/content/chunks/chunks.ts";
import { readBlob } from "../../../../src/content/pump.ts";
import { MAX_ARCHIVE_INDEX_BYTES, MAX_KEPT_JSON_BYTES } from "../../../../src/oci/limits.ts";
import type { TarEntry } from "../../../../src/tar/tar-entry.ts";
import { sha256Of } from "../../../support/memory-blobs.ts";
import { tarArchive, tarEntry } from "../../../support/tar-builder.ts";
import { layerOf, refusal } from "../archive-builder.ts";

afterEach(() => expect(sharedChunks.lentChunks).toBe(0));

interface Scanning {
  readonly archive: StreamedArchive;
  /** How often the source was opened. */
  readonly opened: () => number;
}

async function scan(parts: Iterable<Uint8Array>, isReopenable = true, work?: ChooseHandlerByKind): Promise<Scanning> {
  let opened = 0;
  const archive = await StreamedArchive.scan(
    {
      path: "app.tar.gz",
      fileBytes: () => 7,
      compression: "gzip",
      async open() {
        opened += 1;
        return (async function* () {
          yield* parts;
        })();
      },
      isReopenable,
    },
    work,
  );
  return { archive, opened: () => opened };
}

function entryOf(archive: StreamedArchive, name: string): TarEntry {
  return archive.resolve(name);
}

const LAYER = layerOf("layer");
const FILES = tarArchive([
  tarEntry({ name: "manifest.json", body: "[]" }),
  tarEntry({ name: "version", body: "1.1" }),
  tarEntry({ name: "broken.json", body: "no JSON" }),
  tarEntry({ name: "README", body: "text" }),
  tarEntry({ name: "empty" }),
  tarEntry({ name: "layer.tar", body: LAYER.bytes }),
  tarEntry({ name: "layer.tgz", body: gzipSync(LAYER.bytes) }),
]);

describe("StreamedArchive", () => {
  test("keeps JSON and what has the name of metadata, and nothing else", async () => {
    const { archive, opened } = await scan([FILES]);
    const read = async (name: string): Promise<string> => {
      const entry = entryOf(archive, name);
      expect(archive.streamed.holds(entry)).toBe(true);
      return Buffer.from(await readBlob(archive.slice(entry), entry.size)).toString();
    };
    expect(await read("manifest.json")).toBe("[]");
    expect(await read("version")).toBe("1.1");
    expect(await read("broken.json")).toBe("no JSON");
    expect(await read("empty")).toBe("");
    for (const name of ["README", "layer.tar", "layer.tgz"]) {
      const entry = entryOf(archive, name);
      expect(archive.streamed.holds(entry)).toBe(false);
      expect(await refusal(readBlob(archive.slice(entry), entry.size))).toMatchObject({ reason: "no-json" });
    }
    expect(opened()).toBe(1);
  });

  test("knows how a body is compressed", async () => {
    const { archive } = await scan([FILES]);
    expect(await archive.compressionOf(entryOf(archive, "layer.tgz"))).toBe("gzip");
    expect(await archive.compressionOf(entryOf(archive, "layer.tar"))).toBeUndefined();
  });

  test("hashes all bodies by reading once more", async () => {
    const { archive, opened } = await scan([FILES]);
    expect(await archive.digest(entryOf(archive, "layer.tar"))).toBe(LAYER.digest);
    expect(await archive.digest(entryOf(archive, "README"))).toBe(sha256Of(Buffer.from("text")));
    expect(await archive.digest(entryOf(archive, "empty"))).toBe(sha256Of(Buffer.alloc(0)));
    expect(opened()).toBe(2);
  });

  test("knows the digest of an empty file without reading again", async () => {
    const { archive } = await scan([FILES], false);
    expect(await archive.digest(entryOf(archive, "empty"))).toBe(sha256Of(Buffer.alloc(0)));
    expect(await archive.digest(entryOf(archive, "manifest.json"))).toBe(sha256Of(Buffer.from("[]")));
  });

  test("reads a chosen body again, and stops after it", async () => {
    let parts = 0;
    const counted = {
      *[Symbol.iterator]() {
        for (let at = 0; at < FILES.length; at += 512) {
          parts += 1;
          yield FILES.subarray(at, at + 512);
        }
      },
    };
    const { archive } = await scan(counted);
    parts = 0;
    let found = "";
    let isChosen = false;
    await archive.streamed.readAgain(
      ({ name, size }) => {
        if (name !== "version") return undefined;
        isChosen = true;
        return async (blob, signal) => {
          found = Buffer.from(await readBlob(blob, size, signal)).toString();
        };
      },
      () => isChosen,
      undefined,
    );
    expect(found).toBe("1.1");
    expect(parts).toBeLessThan(8);
  });

  test("keeps no more JSON than its limit, whatever its name, and leaves the rest to handlers", async () => {
    const size = MAX_ARCHIVE_INDEX_BYTES;
    const body = Buffer.from("[".padEnd(size));
    const given: string[] = [];
    const count = Math.floor(MAX_KEPT_JSON_BYTES / size);
    function* parts(): Generator<Uint8Array> {
      for (let index = 0; index <= count; index += 1) yield tarEntry({ name: `${index}.json`, body });
      yield Buffer.alloc(1024);
    }
    const { archive } = await scan({ [Symbol.iterator]: parts }, true, ({ name }) => {
      given.push(name);
      return undefined;
    });
    expect(given).toEqual([`${count}.json`]);
    expect(archive.streamed.holds(entryOf(archive, "0.json"))).toBe(true);
    expect(archive.streamed.holds(entryOf(archive, `${count}.json`))).toBe(false);
  });
});
