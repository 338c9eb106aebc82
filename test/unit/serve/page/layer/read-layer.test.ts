import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { modeText, setIdOf } from "../../../../../src/serve/page/model/layer/layer-entry.ts";
import type { LayerListing } from "../../../../../src/serve/page/model/layer/layer-listing.ts";
import { type ReadLayerOptions, readLayer } from "../../../../../src/serve/page/model/layer/read-layer.ts";
import { gnuLong, paxEntry, tarArchive, tarEntry } from "../../../../support/tar-builder.ts";
import { GNU_LAYER, POSIX_LAYER, ZSTD_LAYER } from "./layer-vectors.ts";

/** Parts in two buffers that are overwritten, as a served blob gives them. */
async function* partsOf(bytes: Uint8Array, partBytes: number): AsyncGenerator<Uint8Array, void> {
  const buffers = [Buffer.alloc(partBytes), Buffer.alloc(partBytes)] as const;
  for (let at = 0, turn = 0; at < bytes.length; at += partBytes, turn ^= 1) {
    const part = bytes.subarray(at, at + partBytes);
    const buffer = turn === 0 ? buffers[0] : buffers[1];
    buffer.fill(0xee);
    buffer.set(part);
    yield buffer.subarray(0, part.length);
  }
}

async function listed(
  bytes: Uint8Array,
  { partBytes = 700, ...options }: Partial<ReadLayerOptions> & { readonly partBytes?: number } = {},
): Promise<LayerListing> {
  return await readLayer(partsOf(bytes, partBytes), { signal: new AbortController().signal, ...options });
}

function shown({ entries }: LayerListing): string[] {
  return entries.map(entry => {
    const { path, kind, size, mode, uid, gid, target } = entry;
    const link = target === undefined ? "" : ` -> ${target}`;
    return `${modeText(mode)} ${uid}:${gid} ${size} ${setIdOf(entry) ?? ""} ${kind} ${path}${link}`.replace("  ", " ");
  });
}

const N = "n".repeat(120);
const GOLDEN = [
  "rwxr-xr-x 0:0 0 folder /",
  "rwxr-xr-x 0:0 0 folder /srv/",
  "rw-r--r-- 0:0 0 file /srv/.wh..wh.plnk",
  "rw-r--r-- 1001:1002 6 file /srv/app",
  "rwxrwsr-x 0:0 0 set-gid folder /srv/cache/",
  "rw-r--r-- 0:0 0 emptying /srv/cache/",
  "rwxrwxrwx 0:0 0 symlink /srv/current -> app",
  "rw-r--r-- 0:0 8388608 file /srv/disk",
  `rwxr-xr-x 0:0 0 folder /srv/${N}/`,
  `rw-r--r-- 0:0 1 file /srv/${N}/${N}`,
  "rw-r--r-- 0:0 0 device /srv/null",
  "rw-r--r-- 0:0 0 deletion /srv/old",
  "rwsr-xr-x 0:0 6 set-uid file /srv/ping",
  "rw-r--r-- 0:0 0 pipe /srv/pipe",
  "rw-r--r-- 1001:1002 0 hardlink /srv/same -> ./srv/app",
];

describe("the files of a layer", () => {
  test.each([
    ["GNU", GNU_LAYER],
    ["POSIX", POSIX_LAYER],
    ["GNU zstd", ZSTD_LAYER],
  ])(
    "are those that GNU tar put there, in its %s format: whiteouts, links, long names, holes, devices",
    async (_, text) => {
      const listing = await listed(Buffer.from(text, "base64"));
      expect(shown(listing)).toEqual(GOLDEN);
      expect(listing.gap).toBeUndefined();
      expect(listing.counts).toEqual({ all: 15, files: 5, folders: 4, deletions: 2 });
      expect(listing.unpackedBytes).toBe(8_388_608 + 6 + 6 + 1);
      expect(listing.largest.map(({ path }) => path)).toEqual([
        "/srv/disk",
        "/srv/app",
        "/srv/ping",
        `/srv/${N}/${N}`,
        "/srv/.wh..wh.plnk",
      ]);
    },
  );

  test("are found in gzip and uncompressed layers, in parts of any size", async () => {
    const tar = tarArchive([tarEntry({ name: "./a", body: "one" }), tarEntry({ name: "/b//c", body: "two" })]);
    for (const layer of [tar, gzipSync(tar)]) {
      for (const partBytes of [1, 5, 511, 1 << 20]) {
        expect(shown(await listed(layer, { partBytes }))).toEqual([
          "rw-r--r-- 0:0 3 file /a",
          "rw-r--r-- 0:0 3 file /b/c",
        ]);
      }
    }
  });

  test("are all shown if a path is there twice, and stay what they are", async () => {
    const listing = await listed(
      tarArchive([
        tarEntry({ name: "same", body: "12" }),
        tarEntry({ name: "same", body: "1" }),
        tarEntry({ name: "../../etc/passwd", body: "1" }),
      ]),
    );
    expect(listing.entries.map(({ path, size }) => [path, size])).toEqual([
      ["/../../etc/passwd", 1],
      ["/same", 2],
      ["/same", 1],
    ]);
  });

  test("have the names, sizes and owners of their extension, and the next file has its own", async () => {
    const listing = await listed(
      tarArchive([
        paxEntry({ comment: "by git" }, "g"),
        paxEntry({ path: "long/\u{1f4e6}", size: "3", uid: "70000", "SCHILY.xattr.user.x": Buffer.from([0, 255, 10]) }),
        tarEntry({ name: "short", body: "abc", size: 0 }),
        gnuLong("gnu/long"),
        gnuLong("gnu/target", "K"),
        tarEntry({ name: "short", type: "2", linkName: "cut" }),
        tarEntry({ name: "own", body: "abcd" }),
        tarEntry({ name: Buffer.from([0x61, 0xff]), body: "" }),
      ]),
    );
    expect(shown(listing)).toEqual([
      "rw-r--r-- 0:0 0 file /a\u{fffd}",
      "rw-r--r-- 0:0 0 symlink /gnu/long -> gnu/target",
      "rw-r--r-- 70000:0 3 file /long/\u{1f4e6}",
      "rw-r--r-- 0:0 4 file /own",
    ]);
  });

  test("end where the layer is no tar, and the page can say why", async () => {
    const entry = tarEntry({ name: "a", body: "one" });
    const gapOf = async (bytes: Uint8Array): Promise<string> => {
      const { gap, entries } = await listed(bytes);
      return `${entries.length} ${gap?.kind} ${gap !== undefined && "found" in gap ? gap.found : ""}`.trim();
    };
    expect(await gapOf(new Uint8Array())).toBe("0 undefined");
    expect(await gapOf(Buffer.from("\0asm, or anything else"))).toBe("0 not-a-tar");
    expect(await gapOf(Buffer.alloc(600, "x"))).toBe("0 not-a-tar");
    expect(await gapOf(entry.subarray(0, 514))).toBe("1 malformed the tar ends at byte 514 in the middle of an entry");
    expect(await gapOf(Buffer.concat([entry, Buffer.alloc(512, "x")]))).toBe(
      "1 malformed a block between two entries is no header of a tar",
    );
    expect(await gapOf(tarArchive([tarEntry({ type: "x", size: 2 ** 30, body: "" }), entry]))).toBe(
      "0 malformed an extension header has more than 1 MiB",
    );
    const gzip = gzipSync(tarArchive([entry]));
    expect(await gapOf(gzip.subarray(0, -9))).toMatch(/^1 malformed Cannot read the layer: gzip data ends at byte/);
    // What follows the end of the tar is no entry.
    expect(await gapOf(Buffer.concat([tarArchive([entry]), entry]))).toBe("1 undefined");
  });

  test("are listed up to 100,000, and counted to the end", async () => {
    const first = Buffer.alloc(512 * 100_000, tarEntry({ name: "same" }));
    const listing = await listed(tarArchive([first, tarEntry({ name: "last", body: "x" })]), { partBytes: 1 << 19 });
    expect(listing.gap).toEqual({ kind: "too-many" });
    expect(listing.entries).toHaveLength(100_000);
    expect(listing.counts.all).toBe(100_001);
    expect(listing.largest[0]?.path).toBe("/last");
  });

  test("have names and records of at most 4,096 characters, and 8 Mi characters in all", async () => {
    const long = await listed(tarArchive([gnuLong("y".repeat(60_000)), tarEntry({ name: "y" })]));
    expect(long.entries[0]?.path).toBe(`/${"y".repeat(4096)}…`);
    const [name, file] = [gnuLong("y".repeat(4000)), tarEntry({ name: "y" })];
    const many = await listed(tarArchive(Array.from({ length: 4500 }, () => [name, file]).flat()), {
      partBytes: 1 << 19,
    });
    expect(many.gap).toEqual({ kind: "too-many" });
    expect(many.counts.all).toBe(4500);
    expect(many.entries).toHaveLength(2096);
  });

  test("of a bomb are not listed to its end", async () => {
    const bomb = gzipSync(
      tarArchive([tarEntry({ name: "first" }), tarEntry({ name: "zeros", body: new Uint8Array(40 << 20) })]),
    );
    const limited = await listed(bomb);
    expect(limited.gap).toMatchObject({ kind: "bomb", found: expect.stringContaining("at most 1000 times as many") });
    expect(limited.entries).toHaveLength(2);
    const large = await listed(gzipSync(tarArchive([tarEntry({ name: "big", body: new Uint8Array(4 << 20) })])), {
      maxBytes: 1 << 20,
    });
    expect(large.gap).toEqual({ kind: "too-large" });
    let clock = 0;
    const slow = await listed(tarArchive([tarEntry({ name: "big", body: new Uint8Array(4 << 20) })]), {
      now: () => {
        clock += 20_000;
        return clock;
      },
    });
    expect(slow.gap).toEqual({ kind: "too-slow" });
  });
});

describe("reading a layer", () => {
  test("shows nothing of a damaged one, whatever a decoder makes of it", async () => {
    const damage = new Error("the file is not what was written");
    for (const layer of [gzipSync(tarArchive([tarEntry({ name: "a" })])), tarArchive([tarEntry({ name: "a" })])]) {
      for (const after of [layer.length, 20]) {
        async function* damaged(): AsyncGenerator<Uint8Array, void> {
          yield layer.subarray(0, after);
          throw damage;
        }
        await expect(readLayer(damaged(), { signal: new AbortController().signal })).rejects.toBe(damage);
      }
    }
  });

  test.each([
    ["uncompressed", (tar: Uint8Array) => tar],
    ["gzip", (tar: Uint8Array) => gzipSync(tar, { level: 0 })],
  ])("ends with the client, and closes the blob: %s", async (_, pack) => {
    const client = new AbortController();
    let read = 0;
    let isClosed = false;
    const layer = pack(tarArchive([tarEntry({ name: "big", body: new Uint8Array(8 << 20).fill(7) })]));
    async function* watched(): AsyncGenerator<Uint8Array, void> {
      try {
        for await (const part of partsOf(layer, 64 << 10)) {
          read += part.length;
          if (read > 1 << 20) client.abort(new Error("the client is gone"));
          yield part;
        }
      } finally {
        isClosed = true;
      }
    }
    await expect(readLayer(watched(), { signal: client.signal })).rejects.toThrow("the client is gone");
    expect(read).toBeLessThan(3 << 20);
    expect(isClosed).toBe(true);
  });
});
