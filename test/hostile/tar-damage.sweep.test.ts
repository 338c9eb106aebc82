import { describe, expect, test } from "vitest";
import { ArchiveError } from "../../src/errors.ts";
import { indexTar, type TarIndex } from "../../src/tar/tar-index.ts";
import { memoryTar, paxEntry, tarArchive, tarEntry } from "../support/tar-builder.ts";

describe("tar damage", () => {
  const bodies = [900, 0, 512, 1500, 1].map((size, at) => Buffer.alloc(size, 65 + at));
  const entries = bodies.map((body, at) => tarEntry({ name: `blobs/${at}`, body }));
  const image = Buffer.from(
    tarArchive([...entries, paxEntry({ mtime: "1.5" }), tarEntry({ name: "last", body: "z" })]),
  );
  const starts = new Set(entries.map((_, at) => Buffer.concat(entries.slice(0, at + 1)).length));
  const view = (index: TarIndex): string => JSON.stringify([...index.entries.values()]);

  test("T-25 truncation at every byte is a clean error, or the entries so far with a warning", async () => {
    const whole = await indexTar(memoryTar(image));
    const names = [...whole.entries.keys()];
    const accepted: number[] = [];
    const reasons = new Map<string, number>();
    for (let size = 0; size < image.length; size += 1) {
      try {
        const index = await indexTar(memoryTar(image.subarray(0, size)));
        accepted.push(size);
        expect(index.warnings, `${size} bytes`).not.toEqual([]);
        // Only a cut right before a header goes by unseen here: an image that misses a blob says so later.
        if (view(index) !== view(whole)) expect(starts.has(size), `${size} bytes`).toBe(true);
        expect([...index.entries.keys()]).toEqual(names.slice(0, index.entries.size));
      } catch (error) {
        if (!(error instanceof ArchiveError)) throw error;
        reasons.set(error.reason, (reasons.get(error.reason) ?? 0) + 1);
      }
    }
    // Behind each of the first five entries, at the end marker's two borders.
    expect(accepted).toHaveLength(starts.size + 2);
    // Without the magic at byte 257 nothing shows that a stump was a tar.
    expect(Object.fromEntries(reasons)).toEqual({
      "not-a-tar": 262,
      truncated: image.length - accepted.length - 262,
    });
  });

  test("T-26 a flipped bit (every one of a header, one of each byte of a body) is refused, or changes nothing that is indexed", async () => {
    const plain = Buffer.from(tarArchive(entries));
    const whole = view(await indexTar(memoryTar(plain)));
    const misread: number[] = [];
    let refused = 0;
    const headers = [0, ...starts].filter(start => start < plain.length - 1024);
    const flips = Array.from(plain.keys()).flatMap(at => {
      const isHeader = headers.some(start => at >= start && at < start + 512);
      return isHeader ? [0, 1, 2, 3, 4, 5, 6, 7].map(bit => ({ at, bit })) : [{ at, bit: at % 8 }];
    });
    for (const { at, bit } of flips) {
      const byte = plain[at] ?? 0;
      plain[at] = byte ^ (1 << bit);
      try {
        if (view(await indexTar(memoryTar(plain))) !== whole) misread.push(at);
      } catch (error) {
        if (!(error instanceof ArchiveError)) throw error;
        refused += 1;
      }
      plain[at] = byte;
    }
    expect(misread).toEqual([]);
    expect(refused).toBeGreaterThan(entries.length * 8 * 490);
  });
});
