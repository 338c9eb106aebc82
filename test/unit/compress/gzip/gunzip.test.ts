import { PassThrough, Readable } from "node:stream";
import { constants, deflateRawSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { gunzip } from "../../../../src/compress/gzip/gunzip.ts";
import { ArchiveError } from "../../../../src/errors.ts";
import { collect, noise, turns } from "../../../support/memory-blobs.ts";

const first = gzipSync(Buffer.from("first member ".repeat(50)));
const second = gzipSync(noise(3000));
const plain = Buffer.concat([Buffer.from("first member ".repeat(50)), noise(3000)]);
const join = (...parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts);

function streamOf(bytes: Uint8Array, partBytes: number): Readable {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += partBytes) parts.push(bytes.slice(at, at + partBytes));
  return Readable.from(parts);
}

const inflate = async (bytes: Uint8Array, partBytes: number): Promise<Uint8Array> =>
  await collect(gunzip(streamOf(bytes, partBytes), "layer x"));

// The verdict must not depend on how the bytes come (security case Z-02).
describe.each([1, 7, first.length, 65_536])("gunzip(), fed %i bytes at a time,", partBytes => {
  test("joins members", async () => {
    expect(plain.equals(await inflate(join(first, second), partBytes))).toBe(true);
  });

  test("passes over zeros behind the last member", async () => {
    expect(plain.equals(await inflate(join(first, second, new Uint8Array(3000)), partBytes))).toBe(true);
  });

  test("reads an empty member", async () => {
    expect(plain.equals(await inflate(join(first, gzipSync(""), second), partBytes))).toBe(true);
  });

  const truncated: readonly (readonly [string, Uint8Array])[] = [
    ["in its trailer", join(first, second.subarray(0, -3))],
    ["in its data", join(first, second.subarray(0, 1000))],
    ["in its header", join(first, second.subarray(0, 5))],
    ["after one byte of its magic", join(first, second.subarray(0, 1))],
    ["before its first byte", new Uint8Array(0)],
  ];
  test.each(truncated)("refuses a member that ends %s", async (_where, bytes) => {
    const failed = inflate(bytes, partBytes);
    await expect(failed).rejects.toMatchObject({ reason: "truncated-gzip", exitCode: 3 });
    await expect(failed).rejects.toThrow(`Cannot read layer x: gzip data ends at byte ${bytes.length} in the middle`);
  });

  const damaged: readonly (readonly [string, Uint8Array])[] = [
    ["junk behind a member", join(first, Buffer.from("junk"))],
    ["junk behind zeros", join(first, new Uint8Array(30), Buffer.from("junk"))],
    // Some readers would go on with it, some would not.
    ["a member behind zeros", join(first, new Uint8Array(30), second)],
    ["a wrong checksum", first.map((byte, at) => (at === first.length - 6 ? byte ^ 1 : byte))],
    ["no gzip at all", Buffer.from("this is no gzip data")],
  ];
  test.each(damaged)("refuses %s", async (_what, bytes) => {
    const failed = inflate(bytes, partBytes);
    await expect(failed).rejects.toBeInstanceOf(ArchiveError);
    await expect(failed).rejects.toMatchObject({ reason: "damaged-gzip", exitCode: 3 });
  });
});

describe("gunzip()", () => {
  test("refuses endless zeros behind a member", async () => {
    await expect(inflate(join(first, new Uint8Array(1024 * 1024 + 1)), 65_536)).rejects.toMatchObject({
      reason: "damaged-gzip",
    });
  });

  test("stops at data that inflates a thousandfold", async () => {
    const part = deflateRawSync(new Uint8Array(1024 * 1024), { level: 9, finishFlush: constants.Z_FULL_FLUSH });
    // deflateRaw ends up within 1032:1; the header's ten bytes are all that stands before it.
    const bomb = join(first.subarray(0, 10), ...Array.from({ length: 64 }, () => part));
    let inflated = 0;
    const reading = (async () => {
      for await (const bytes of gunzip(streamOf(bomb, 1024), "layer x")) inflated += bytes.length;
    })();
    await expect(reading).rejects.toMatchObject({ reason: "inflation-ratio" });
    expect(inflated).toBeLessThan(20 * 1024 * 1024);
  });

  test("lets a small file of zeros through", async () => {
    expect(await inflate(gzipSync(new Uint8Array(8 * 1024 * 1024), { level: 9 }), 65_536)).toHaveLength(
      8 * 1024 * 1024,
    );
  });

  test("throws what broke the source", async () => {
    const source = new PassThrough();
    source.write(first);
    const failed = expect(collect(gunzip(source, "layer x"))).rejects.toThrow("cable pulled");
    await turns(3);
    source.destroy(new Error("cable pulled"));
    await failed;
  });

  test("does not wait for a source that was closed before its end", async () => {
    const source = new PassThrough();
    source.write(first);
    const failed = expect(collect(gunzip(source, "layer x"))).rejects.toThrow();
    await turns(3);
    source.destroy();
    await failed;
  });

  test("ends with the reason when the signal aborts while the source stalls", async () => {
    const source = new PassThrough();
    source.write(first);
    const stop = new AbortController();
    const failed = expect(collect(gunzip(source, "layer x", stop.signal))).rejects.toThrow("interrupted");
    await turns(3);
    stop.abort(new Error("interrupted"));
    await failed;
    expect(source.destroyed).toBe(true);
  });

  test("closes the source when its reader leaves early", async () => {
    const source = new PassThrough();
    source.write(second);
    for await (const _part of gunzip(source, "layer x")) break;
    expect(source.destroyed).toBe(true);
  });
});
