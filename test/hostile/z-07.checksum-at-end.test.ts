import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { StreamedArchive } from "../../src/archive/open/streamed-archive.ts";
import { openArchive } from "../../src/archive/open-archive.ts";
import { dockerArchive, fileWith } from "../support/images.ts";

const GOOD = gzipSync(dockerArchive({ tags: ["app:1"] }));

function altered(at: number): Buffer {
  const copy = Buffer.from(GOOD);
  copy[copy.length - at] = (copy[copy.length - at] ?? 0) ^ 1;
  return copy;
}

describe("Z-07 bytes that appear before their checksum", () => {
  test.each<[string, Buffer]>([
    ["a wrong CRC", altered(8)],
    ["a wrong length", altered(4)],
    ["no trailer", GOOD.subarray(0, -8)],
    ["half a trailer", GOOD.subarray(0, -3)],
    ["a second member that is cut", Buffer.concat([GOOD, GOOD.subarray(0, 30)])],
    ["rubbish behind it", Buffer.concat([GOOD, Buffer.from("rubbish")])],
  ])("Z-07 an archive with %s is not opened, as a file or out of a pipe", async (_what, bytes) => {
    let isWhole = false;
    const scan: NonNullable<Parameters<typeof openArchive>[1]>["scan"] = async options => {
      const archive = await StreamedArchive.scan(options);
      isWhole = true;
      return archive;
    };
    await expect(openArchive(await fileWith(bytes), { scan })).rejects.toMatchObject({ code: "ERR_ARCHIVE" });
    await expect(openArchive("-", { scan, stdin: Readable.from([bytes]) })).rejects.toMatchObject({
      code: "ERR_ARCHIVE",
    });
    expect(isWhole).toBe(false);
  });

  test("Z-07 the archive itself is opened", async () => {
    await using archive = await openArchive(await fileWith(GOOD));
    expect(archive.images).toHaveLength(1);
  });
});
