import { describe, expect, test } from "vitest";
import type { TarFile } from "../../src/tar/read-window.ts";
import { indexTar } from "../../src/tar/tar-index.ts";
import { TarWalk } from "../../src/tar/tar-walk.ts";
import { paxEntry, tarEntry } from "../support/tar-builder.ts";
import { usedMemory } from "../support/used-memory.ts";

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

describe("T-24 as many entries as an archive may have", () => {
  test("T-24 262,144 empty entries are indexed within 40 MiB", async () => {
    const before = usedMemory();
    const index = await indexTar(manyEntries(262_144));
    const grown = usedMemory() - before;
    expect(index.entries.size).toBe(262_144);
    expect(index.entries.get("blobs/0262143")).toMatchObject({ type: "file", size: 0 });
    expect(grown / MIB).toBeLessThan(40);
  });

  test("T-24 one entry more is refused with its offset, the number found and the number allowed", async () => {
    const refused = await indexTar(manyEntries(262_145), { what: 'archive "a.tar"' }).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      reason: "too-many-entries",
      message:
        'Cannot read header at byte 134218240 from archive "a.tar": more than 262144 entries, expected at most 262144',
    });
  });

  test("T-24 names and link targets of more than 24 Mi characters are refused", () => {
    const walk = new TarWalk({ what: "the archive" });
    const push = (number: number): void => {
      const path = `${number}/${"n".repeat(4000)}`;
      const link = tarEntry({ name: "link", type: "2", linkName: "target" });
      const image = Buffer.concat([paxEntry({ path, linkpath: "t".repeat(4000) }), link]);
      const start = walk.position;
      for (let at = 0; at < image.length; at = walk.position - start)
        walk.push(image.subarray(at, at + walk.demand.bytes));
    };
    for (let number = 1000; number < 1000 + 3143; number += 1) push(number);
    expect(() => push(4143)).toThrow("more than 25165824 characters of names, expected at most 25165824");
  });
});
