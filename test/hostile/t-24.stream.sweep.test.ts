import { expect, test } from "vitest";
import { StreamedArchive } from "../../src/archive/open/streamed-archive.ts";
import { tarEntry } from "../support/tar-builder.ts";
import { usedMemory } from "../support/used-memory.ts";

const MIB = 1024 * 1024;

/** So many entries of this body, in parts of 64 KiB. */
function* entries(count: number, body: string): Generator<Uint8Array> {
  const entry = Buffer.from(tarEntry({ name: "blobs/0000000", body }));
  const base =
    entry.subarray(0, 512).reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0) - 7 * 0x30;
  let parts: Buffer[] = [];
  for (let number = 0; number < count; number += 1) {
    const digits = String(number).padStart(7, "0");
    const copy = Buffer.from(entry);
    copy.write(digits, 6, "latin1");
    let sum = base;
    for (let digit = 0; digit < 7; digit += 1) sum += digits.charCodeAt(digit);
    copy.write(sum.toString(8).padStart(6, "0"), 148, "latin1");
    parts.push(copy);
    if (parts.length === 64) {
      yield Buffer.concat(parts);
      parts = [];
    }
  }
  yield Buffer.concat([...parts, Buffer.alloc(1024)]);
}

async function grownBy(count: number, body: string): Promise<number> {
  const before = usedMemory();
  const archive = await StreamedArchive.scan({
    path: "a.tar.gz",
    fileBytes: () => 0,
    compression: "gzip",
    open: async () =>
      (async function* () {
        yield* entries(count, body);
      })(),
    isReopenable: true,
  });
  const grown = usedMemory() - before;
  expect(archive.entries.size).toBe(count);
  return grown / MIB;
}

test.each([
  [30_000, "empty", 6, ""],
  [30_000, "other", 6, "x"],
  // More than are kept: each costs more than its two bytes.
  [140_000, "JSON", 80, "{}"],
])("T-24 %i %s files in a stream stay within %i MiB", async (count, _what, most, body) => {
  expect(await grownBy(count, body)).toBeLessThan(most);
});
