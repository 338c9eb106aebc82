import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import type { TarFile } from "../../src/tar/read-window.ts";
import { indexTar } from "../../src/tar/tar-index.ts";
import { tarEntry } from "../support/tar-builder.ts";

const MIB = 1024 * 1024;

/** Made as it is read: `count` empty files and the end marker. */
function manyEntries(count: number): TarFile {
  const block = Buffer.from(tarEntry({ name: "blobs/0000000" }));
  const base = block.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0) - 7 * 0x30;
  const size = 512 * (count + 2);
  const read = (target: Uint8Array, position: number): Promise<number> => {
    const bytes = Math.min(target.length, size - position);
    for (let at = 0; at < bytes; at += 512) {
      const number = (position + at) / 512;
      if (number >= count) {
        target.fill(0, at, Math.min(at + 512, bytes));
        continue;
      }
      const digits = String(number).padStart(7, "0");
      block.write(digits, 6, "latin1");
      let sum = base;
      for (let digit = 0; digit < 7; digit += 1) sum += digits.charCodeAt(digit);
      block.write(sum.toString(8).padStart(6, "0"), 148, "latin1");
      target.set(block.subarray(0, bytes - at), at);
    }
    return Promise.resolve(bytes);
  };
  return { size, read };
}

test("T-24 250,000 empty entries are indexed within 28 MiB", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const used = (): number => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = used();
  const index = await indexTar(manyEntries(250_000));
  const grown = used() - before;
  expect(index.entries.size).toBe(250_000);
  expect(index.entries.get("blobs/0249999")).toMatchObject({ type: "file", size: 0 });
  expect(grown / MIB).toBeLessThan(28);
});
