import { PassThrough, Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { decompress } from "../../../src/compress/decompress.ts";
import type { Compression } from "../../../src/compress/detect.ts";
import { ArchiveError } from "../../../src/errors.ts";
import { collect, turns } from "../../support/memory-blobs.ts";
import { VECTORS, vector } from "./decompress-vectors.ts";

const join = (...parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts);

function streamOf(bytes: Uint8Array, partBytes: number): Readable {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += partBytes) parts.push(bytes.slice(at, at + partBytes));
  return Readable.from(parts);
}

const inflate = async (compression: Compression, bytes: Uint8Array, partBytes: number): Promise<Uint8Array> =>
  await collect(decompress(streamOf(bytes, partBytes), compression, "layer x", undefined, Infinity));

const short = {
  zstd: vector("zstd -19 of short"),
  xz: vector("xz of short"),
  bzip2: vector("bzip2 of short"),
} as const;
const own = ["zstd", "xz", "bzip2"] as const;

describe.each(VECTORS)("decompress() of what $command makes", ({ compression, content, file }) => {
  test.each([1, 7, 65_536])("finds its content, fed %i bytes at a time", async partBytes => {
    expect(content.equals(await inflate(compression, file, partBytes))).toBe(true);
  });
});

test("decompress() reads gzip too", async () => {
  expect(Buffer.from(await inflate("gzip", gzipSync("hello"), 7)).toString()).toBe("hello");
});

// The verdict must not depend on how the bytes come (security case Z-02).
describe.each(own)("decompress() of %s", compression => {
  const { file, content } = short[compression];

  describe.each([1, 7, 65_536])("fed %i bytes at a time", partBytes => {
    test("joins what was joined", async () => {
      const found = await inflate(compression, join(file, file, file), partBytes);
      expect(join(content, content, content).equals(found)).toBe(true);
    });

    test("passes over zeros behind the end", async () => {
      const found = await inflate(compression, join(file, new Uint8Array(3001)), partBytes);
      expect(content.equals(found)).toBe(true);
    });

    const damaged: readonly (readonly [string, Uint8Array])[] = [
      ["junk behind the end", join(file, Buffer.from("junk"))],
      ["junk behind zeros", join(file, new Uint8Array(32), Buffer.from("junk"))],
      // Some readers would go on with it, some would not.
      ["a second file behind zeros", join(file, new Uint8Array(32), file)],
      ["other data", Buffer.from("this is neither")],
      ["zeros alone", new Uint8Array(64)],
    ];
    test.each(damaged)("refuses %s", async (_what, bytes) => {
      const failed = inflate(compression, bytes, partBytes);
      await expect(failed).rejects.toBeInstanceOf(ArchiveError);
      await expect(failed).rejects.toMatchObject({ reason: `damaged-${compression}`, exitCode: 3 });
    });
  });

  test("stops at data that inflates more than a thousandfold", async () => {
    const { file: zeros } = vector(`${compression} of zeros`);
    const bomb = join(...Array.from({ length: 20 }, () => zeros));
    let inflated = 0;
    const reading = (async () => {
      for await (const bytes of decompress(streamOf(bomb, 64), compression, "layer x")) inflated += bytes.length;
    })();
    await expect(reading).rejects.toMatchObject({ reason: "inflation-ratio" });
    expect(inflated).toBeGreaterThan(16_000_000);
    expect(inflated).toBeLessThan(17 * 1024 * 1024);
    expect(await inflate(compression, bomb, 64)).toHaveLength(20_000_000);
  });

  test("refuses endless zeros behind the end", async () => {
    expect(await inflate(compression, join(file, new Uint8Array(1024 * 1024)), 65_536)).toHaveLength(content.length);
    await expect(inflate(compression, join(file, new Uint8Array(1024 * 1024 + 1)), 65_536)).rejects.toMatchObject({
      reason: `damaged-${compression}`,
    });
  });

  test("throws what broke the source", async () => {
    const source = new PassThrough();
    source.write(file.subarray(0, 20));
    const failed = expect(collect(decompress(source, compression, "layer x"))).rejects.toThrow("cable pulled");
    await turns(3);
    source.destroy(new Error("cable pulled"));
    await failed;
  });

  test("throws what broke the source before it was read", async () => {
    const source = new PassThrough();
    const reading = collect(decompress(source, compression, "layer x"));
    source.destroy(new Error("no such file"));
    await expect(reading).rejects.toThrow("no such file");
  });

  test("does not wait for a source that was closed before its end", async () => {
    const source = new PassThrough();
    source.write(file);
    const failed = expect(collect(decompress(source, compression, "layer x"))).rejects.toThrow();
    await turns(3);
    source.destroy();
    await failed;
  });

  test("ends with the reason when the signal aborts while the source stalls", async () => {
    const source = new PassThrough();
    source.write(file.subarray(0, 20));
    const stop = new AbortController();
    const reading = collect(decompress(source, compression, "layer x", stop.signal));
    const failed = expect(reading).rejects.toThrow("interrupted");
    await turns(3);
    stop.abort(new Error("interrupted"));
    await failed;
    expect(source.destroyed).toBe(true);
  });

  test("reads nothing when the signal was aborted before", async () => {
    const source = streamOf(file, 7);
    const reading = collect(decompress(source, compression, "layer x", AbortSignal.abort(new Error("interrupted"))));
    await expect(reading).rejects.toThrow("interrupted");
    expect(source.destroyed).toBe(true);
  });

  test("can be aborted while it decodes what it has", async () => {
    const { file: zeros } = vector(`${compression} of zeros`);
    const stop = new AbortController();
    const source = Readable.from([join(...Array.from({ length: 16 }, () => zeros))]);
    let inflated = 0;
    const reading = (async () => {
      for await (const part of decompress(source, compression, "layer x", stop.signal)) {
        inflated += part.length;
        setImmediate(() => stop.abort(new Error("interrupted")));
      }
    })();
    await expect(reading).rejects.toThrow("interrupted");
    expect(inflated).toBeLessThan(8 * 1024 * 1024);
  });

  test("closes the source at the end, and when its reader leaves early", async () => {
    const whole = streamOf(file, 7);
    await collect(decompress(whole, compression, "layer x"));
    expect(whole.destroyed).toBe(true);
    const left = new PassThrough();
    left.write(join(file, file, file, file));
    for await (const _part of decompress(left, compression, "layer x")) break;
    expect(left.destroyed).toBe(true);
  });

  test("yields parts that stay as they are", async () => {
    const row = VECTORS.find(({ compression: own, command }) => own === compression && command.endsWith("of lines"));
    const kept: Uint8Array[] = [];
    for await (const part of decompress(streamOf(row?.file ?? file, 100), compression, "layer x")) kept.push(part);
    expect(row?.content.equals(join(...kept))).toBe(true);
  });
});
