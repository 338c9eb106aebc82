import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { ArchiveError } from "../../src/errors.ts";
import type { TarFile } from "../../src/tar/read-window.ts";
import { indexTar } from "../../src/tar/tar-index.ts";
import { paxEntry, tarArchive, tarEntry } from "../support/tar-builder.ts";

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

async function reasonOf(file: TarFile): Promise<string> {
  try {
    await indexTar(file);
    return "accepted";
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    return error.reason;
  }
}

describe("T-24 a million entries, by a quarter of them", () => {
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
  }, 120_000);
});

describe("T-02 sizes around 2^33 and 2^53, over bodies that are holes", () => {
  const LIMIT = 2 ** 33;
  const OCTAL_MAX = "77777777777\0";
  /** Headers at their offsets, zeros everywhere else. */
  function sparse(parts: readonly (readonly [number, Uint8Array])[], size: number): TarFile {
    const read = (target: Uint8Array, position: number): Promise<number> => {
      target.fill(0);
      for (const [offset, bytes] of parts) {
        const start = Math.max(offset, position);
        const end = Math.min(offset + bytes.length, position + target.length);
        if (start < end) target.set(bytes.subarray(start - offset, end - offset), start - position);
      }
      return Promise.resolve(Math.min(target.length, size - position));
    };
    return { size, read };
  }
  const base256 = (size: number): Uint8Array => {
    const field = Buffer.alloc(12);
    field[0] = 0x80;
    field.writeBigUInt64BE(BigInt(size), 4);
    return field;
  };
  const last = tarArchive([tarEntry({ name: "last", body: "x" })]);

  test.each<[string, number, string | Uint8Array, number | undefined, string]>([
    ["octal 2^33 - 1", LIMIT - 1, OCTAL_MAX, undefined, "accepted"],
    ["octal and PAX 2^33 - 1", LIMIT - 1, OCTAL_MAX, LIMIT - 1, "accepted"],
    ["base-256 2^33", LIMIT, base256(LIMIT), undefined, "accepted"],
    ["base-256 2^33 - 1", LIMIT - 1, base256(LIMIT - 1), undefined, "accepted"],
    ["base-256 and PAX 2^33", LIMIT, base256(LIMIT), LIMIT, "accepted"],
    ["PAX 2^33 over 0", LIMIT, "00000000000\0", LIMIT, "accepted"],
    ["PAX 2^40 over 0", 2 ** 40, "00000000000\0", 2 ** 40, "accepted"],
    ["PAX 2^33 - 1 over 0", LIMIT - 1, "00000000000\0", LIMIT - 1, "pax-size-over-empty"],
    ["PAX 2^33 over octal 2^33 - 1", LIMIT, OCTAL_MAX, LIMIT, "pax-size-mismatch"],
    ["PAX 2^33 over 1", LIMIT, "00000000001\0", LIMIT, "pax-size-mismatch"],
    ["PAX 2^33 + 1 over base-256 2^33", LIMIT + 1, base256(LIMIT), LIMIT + 1, "pax-size-mismatch"],
    ["PAX 0 over base-256 2^33", LIMIT, base256(LIMIT), 0, "pax-size-mismatch"],
    ["base-256 2^53 - 1", 2 ** 53 - 1, base256(2 ** 53 - 1), undefined, "truncated"],
    ["base-256 2^53", 2 ** 53, base256(2 ** 53), undefined, "bad-size"],
    ["PAX 2^53 - 1 over 0", 2 ** 53 - 1, "00000000000\0", 2 ** 53 - 1, "truncated"],
    ["PAX 2^53 over 0", 2 ** 53, "00000000000\0", 2 ** 53, "pax-bad-number"],
  ])("T-02 / T-22 %s is %s", async (_, size, sizeField, paxSize, expected) => {
    const header = tarEntry({ name: "big", sizeField });
    const head = Buffer.concat([...(paxSize === undefined ? [] : [paxEntry({ size: String(paxSize) })]), header]);
    // Past 2^45 the file ends long before the entry does.
    const end = Math.min(head.length + Math.ceil(size / 512) * 512, 2 ** 45);
    const file = sparse(
      [
        [0, head],
        [end, last],
      ],
      end + last.length,
    );
    expect(await reasonOf(file)).toBe(expected);
    if (expected !== "accepted") return;
    const { entries } = await indexTar(file);
    expect([entries.get("big")?.size, entries.get("last")?.bodyOffset]).toEqual([size, end + 512]);
  });
});
