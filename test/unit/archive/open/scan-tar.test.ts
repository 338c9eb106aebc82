import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { ByteFeed } from "../../../../src/archive/open/byte-feed.ts";
import { scanTar } from "../../../../src/archive/open/scan-tar.ts";
import { sharedChunks } from "../../../../src/content/chunks/chunks.ts";
import { readBlob } from "../../../../src/content/pump.ts";
import { ArchiveError } from "../../../../src/errors.ts";
import { indexTar } from "../../../../src/tar/tar-index.ts";
import { paxEntry, tarArchive, tarEntry } from "../../../support/tar-builder.ts";

afterEach(() => expect(sharedChunks.lentChunks).toBe(0));

async function* inPieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const piece = bytes.subarray(at, at + (sizes[turn % sizes.length] ?? 1));
    at += piece.length;
    yield piece;
  }
}

const what = 'archive "a.tar"';

interface Outcome {
  readonly entries: readonly unknown[];
  readonly bodies: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
  readonly refused: string;
}

async function scanned(bytes: Uint8Array, sizes: readonly number[]): Promise<Outcome> {
  const bodies: Record<string, string> = {};
  try {
    const walk = await scanTar(
      inPieces(bytes, sizes),
      ({ name, size }) =>
        async (blob, signal) => {
          bodies[name] = Buffer.from(await readBlob(blob, size, signal)).toString("latin1");
        },
      { what, concurrency: 3 },
    );
    return {
      entries: [...walk.entries.values()],
      bodies,
      warnings: walk.warnings.map(({ reason }) => reason),
      refused: "",
    };
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    return { entries: [], bodies: {}, warnings: [], refused: error.reason };
  }
}

async function indexed(bytes: Uint8Array): Promise<Outcome> {
  const read = async (target: Uint8Array, position: number): Promise<number> => {
    const part = bytes.subarray(position, position + target.length);
    target.set(part);
    return part.length;
  };
  try {
    const index = await indexTar({ size: bytes.length, read }, { what });
    const entries = [...index.entries.values()];
    const bodies = Object.fromEntries(
      entries
        .filter(({ type }) => type === "file")
        .map(({ name, bodyOffset, size }) => [
          name,
          Buffer.from(bytes.subarray(bodyOffset, bodyOffset + size)).toString("latin1"),
        ]),
    );
    return { entries, bodies, warnings: index.warnings.map(({ reason }) => reason), refused: "" };
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    return { entries: [], bodies: {}, warnings: [], refused: error.reason };
  }
}

const GOOD: readonly (readonly [string, Uint8Array])[] = [
  ["a file", tarArchive([tarEntry({ name: "a", body: "hello" })])],
  [
    "files, folders and links",
    tarArchive([
      tarEntry({ name: "d/", type: "5" }),
      tarEntry({ name: "d/a", body: "x".repeat(1500) }),
      tarEntry({ name: "d/b", type: "2", linkName: "a" }),
      tarEntry({ name: "d/empty" }),
      tarEntry({ name: "d/whole", body: "y".repeat(1024) }),
    ]),
  ],
  ["a long name", tarArchive([paxEntry({ path: `${"p".repeat(200)}` }), tarEntry({ name: "p", body: "z" })])],
  ["no end", tarEntry({ name: "a", body: "hello" })],
  ["a lot behind its end", Buffer.concat([tarArchive([tarEntry({ name: "a", body: "b" })]), Buffer.alloc(9000)])],
];

describe("scanTar()", () => {
  test.each(GOOD)("finds in %s what reading in place finds, whatever the parts", async (_what, bytes) => {
    const wanted = await indexed(bytes);
    expect(wanted.refused).toBe("");
    for (const sizes of [[1], [511], [512], [513, 1, 7], [100_000]])
      expect(await scanned(bytes, sizes)).toEqual(wanted);
  });

  test("refuses what reading in place refuses, wherever it is cut or damaged", async () => {
    const [, [, good] = ["", new Uint8Array()]] = GOOD;
    await fc.assert(
      fc.asyncProperty(
        fc.nat(good.length),
        fc.nat(good.length - 1),
        fc.nat(255),
        fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 4 }),
        async (end, at, byte, sizes) => {
          const bytes = Buffer.from(good.subarray(0, end));
          if (at < end) bytes[at] = byte;
          expect(await scanned(bytes, sizes)).toEqual(await indexed(bytes));
        },
      ),
      { numRuns: 300 },
    );
  });

  test("throws the failure of what is done with a body, and stops the other bodies", async () => {
    const bytes = tarArchive([
      tarEntry({ name: "slow", body: "a".repeat(5000) }),
      tarEntry({ name: "bad", body: "b".repeat(5000) }),
      tarEntry({ name: "never", body: "c".repeat(3_000_000) }),
    ]);
    const seen: string[] = [];
    const scanning = scanTar(
      inPieces(bytes, [4096]),
      ({ name, size }) => {
        seen.push(name);
        return async (blob, signal) => {
          await readBlob(blob, size, signal);
          if (name === "bad") throw new Error("broken");
          if (name === "slow") await new Promise<void>(resolve => signal.addEventListener("abort", () => resolve()));
        };
      },
      { what, concurrency: 2 },
    );
    await expect(scanning).rejects.toThrow("broken");
    expect(seen.slice(0, 2)).toEqual(["slow", "bad"]);
  });

  test("passes a body over whose reader has gone, and goes on with the next", async () => {
    const bytes = tarArchive([
      tarEntry({ name: "skipped", body: "a".repeat(3_000_000) }),
      tarEntry({ name: "read", body: "b" }),
    ]);
    let found = "";
    await scanTar(
      inPieces(bytes, [70_000]),
      ({ name, size }) =>
        async (blob, signal) => {
          if (name === "read") found = Buffer.from(await readBlob(blob, size, signal)).toString();
        },
      { what, concurrency: 1 },
    );
    expect(found).toBe("b");
  });

  test("looks at no byte behind what was wanted", async () => {
    async function* parts(): AsyncGenerator<Uint8Array> {
      yield tarEntry({ name: "a", body: "wanted" });
      throw new Error("read on");
    }
    let found = "";
    await scanTar(
      parts(),
      () => async (blob, signal) => {
        found = Buffer.from(await readBlob(blob, 6, signal)).toString();
      },
      { what, concurrency: 1, isDone: () => true },
    );
    expect(found).toBe("wanted");
  });

  test("gives its source back at the end, and after a failure", async () => {
    for (const bytes of [GOOD[0]?.[1] ?? new Uint8Array(), Buffer.from("no tar".padEnd(600))]) {
      let isClosed = false;
      async function* parts(): AsyncGenerator<Uint8Array> {
        try {
          yield bytes;
          yield Buffer.alloc(512);
        } finally {
          isClosed = true;
        }
      }
      await scanTar(parts(), () => undefined, { what, concurrency: 1 }).catch(() => undefined);
      expect(isClosed).toBe(true);
    }
  });
});

describe("ByteFeed", () => {
  test("hands out every byte once, however it is asked", async () => {
    const bytes = Uint8Array.from({ length: 1000 }, (_byte, at) => at % 251);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 }),
        fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 300 }))),
        async (sizes, asks) => {
          await using feed = new ByteFeed(inPieces(bytes, sizes));
          for (const [isExact, most] of asks) {
            const at = feed.position;
            const found = isExact ? await feed.exactly(most) : ((await feed.some(most)) ?? new Uint8Array());
            expect([...found]).toEqual([...bytes.subarray(at, at + found.length)]);
            if (isExact) expect(found.length).toBe(Math.min(most, bytes.length - at));
            expect(feed.position).toBe(at + found.length);
          }
        },
      ),
    );
  });

  test("tells whether it could skip so far", async () => {
    await using feed = new ByteFeed(inPieces(new Uint8Array(10), [3]));
    expect(await feed.skipTo(7)).toBe(true);
    expect(feed.position).toBe(7);
    expect(await feed.skipTo(11)).toBe(false);
  });
});
