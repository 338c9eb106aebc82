import { describe, expect, test } from "vitest";
import { ArchiveError } from "../../src/errors.ts";
import type { TarFile } from "../../src/tar/read-window.ts";
import { indexTar } from "../../src/tar/tar-index.ts";
import { paxEntry, tarArchive, tarEntry } from "../support/tar-builder.ts";

async function reasonOf(file: TarFile): Promise<string> {
  try {
    await indexTar(file);
    return "accepted";
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    return error.reason;
  }
}

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
