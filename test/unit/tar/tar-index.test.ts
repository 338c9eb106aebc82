import { expect, test } from "vitest";
import { ArchiveError } from "../../../src/errors.ts";
import type { TarFile } from "../../../src/tar/read-window.ts";
import { indexTar } from "../../../src/tar/tar-index.ts";
import { encodeSlotHeader, planTar } from "../../../src/tar/tar-plan.ts";
import { gnuLong, memoryTar, paxEntry, tarArchive, tarEntry } from "../../support/tar-builder.ts";

async function failure(file: TarFile): Promise<ArchiveError> {
  try {
    await indexTar(file, { what: 'archive "app.tar"' });
  } catch (error) {
    if (error instanceof ArchiveError) return error;
    throw error;
  }
  throw new Error("accepted");
}

test("indexTar() lists files, folders and links with their body offsets", async () => {
  const bytes = tarArchive([
    tarEntry({ name: "./", type: "5" }),
    tarEntry({ name: "./a/", type: "5" }),
    tarEntry({ name: "./a/f", body: "hello" }),
    tarEntry({ name: "a/s", type: "2", linkName: "f" }),
    tarEntry({ name: "h", type: "1", linkName: "./a/f" }),
  ]);
  const { entries, warnings } = await indexTar(memoryTar(bytes));
  expect([...entries.values()]).toEqual([
    { name: "a", type: "directory", bodyOffset: 1024, size: 0 },
    { name: "a/f", type: "file", bodyOffset: 1536, size: 5 },
    { name: "a/s", type: "symlink", linkName: "f", bodyOffset: 2560, size: 0 },
    { name: "h", type: "hardlink", linkName: "./a/f", bodyOffset: 3072, size: 0 },
  ]);
  expect(warnings).toEqual([]);
});

test("indexTar() applies PAX and GNU long names to the next entry only", async () => {
  const long = `${"d".repeat(120)}/f`;
  const bytes = tarArchive([
    paxEntry({ path: long, mtime: "1.5" }),
    tarEntry({ name: "cut", body: "1" }),
    tarEntry({ name: "plain" }),
    gnuLong(`${long}2`),
    tarEntry({ name: "cut", magic: "gnu" }),
    gnuLong(long, "K"),
    gnuLong(`${long}3`),
    tarEntry({ name: "cut", type: "2", linkName: "cut", magic: "gnu" }),
    paxEntry({ linkpath: long }),
    tarEntry({ name: "l", type: "1", linkName: "cut" }),
  ]);
  const { entries } = await indexTar(memoryTar(bytes));
  expect([...entries.keys()]).toEqual([long, "plain", `${long}2`, `${long}3`, "l"]);
  expect(entries.get(`${long}3`)?.linkName).toBe(long);
  expect(entries.get("l")?.linkName).toBe(long);
  expect(entries.get(long)).toMatchObject({ bodyOffset: 512 * 3, size: 1 });
});

test("indexTar() steps over bodies: 100 layers of 200 MB cost 100 small reads", async () => {
  const files = Array.from({ length: 100 }, (_, at) => ({ name: `blobs/sha256/${at}`, size: 200_000_000 + at }));
  const plan = planTar(files);
  const headers = new Map([...plan.slots.values()].map(slot => [slot.headerOffset, encodeSlotHeader(slot)]));
  let bytesRead = 0;
  const { entries } = await indexTar({
    size: plan.totalBytes,
    read(target, position) {
      bytesRead += target.length;
      target.fill(0);
      target.set(headers.get(position) ?? []);
      return Promise.resolve(target.length);
    },
  });
  expect([...entries.values()]).toEqual(
    files
      .map(({ name, size }) => ({ ...plan.slots.get(name), type: "file", size }))
      .map(({ headerOffset: _, ...entry }) => entry),
  );
  expect(bytesRead).toBeLessThan(100 * 4096 + 2 * 65_536);
});

test("indexTar() reads 5 000 small entries in large steps", async () => {
  const bytes = tarArchive(Array.from({ length: 5000 }, (_, at) => tarEntry({ name: `e/${at}`, body: "x" })));
  const memory = memoryTar(bytes);
  expect((await indexTar(memory)).entries.size).toBe(5000);
  expect(memory.reads.length).toBeLessThan(bytes.length / 65_536 + 10);
});

test("indexTar() copes with short reads", async () => {
  const bytes = tarArchive([
    tarEntry({ name: "a", body: "x".repeat(3000) }),
    paxEntry({ path: "b" }),
    tarEntry({ body: "y" }),
  ]);
  const whole = await indexTar(memoryTar(bytes));
  for (const maxRead of [1, 7, 511, 513]) {
    const { entries } = await indexTar(memoryTar(bytes, maxRead));
    expect([...entries]).toEqual([...whole.entries]);
  }
});

test("indexTar() says which entry a truncated file breaks off in, and where", async () => {
  const bytes = tarArchive([tarEntry({ name: "a" }), tarEntry({ name: "layer.tar", body: Buffer.alloc(20_000) })]);
  const error = await failure(memoryTar(bytes.subarray(0, 5000)));
  expect(error.reason).toBe("truncated");
  expect(error.message).toBe(
    'Cannot read entry "layer.tar" at byte 512 from archive "app.tar": file ends at byte 5000, expected 21504',
  );
  expect(error.hint).toBe("The copy is incomplete: compare its size with the sender's, then copy it again.");
});

test("indexTar() notices a file that shrinks while it is read", async () => {
  const bytes = tarArchive([tarEntry({ name: "a", body: Buffer.alloc(100_000) }), tarEntry({ name: "b" })]);
  const { read } = memoryTar(bytes.subarray(0, 50_000));
  const error = await failure({ size: bytes.length, read });
  expect(error.reason).toBe("truncated");
  expect(error.message).toContain("file ends at byte 50000");
});

test("indexTar() warns of missing end blocks, and only of them", async () => {
  const entry = tarEntry({ name: "a", body: "x" });
  const warningsOf = async (bytes: Uint8Array): Promise<string[]> =>
    (await indexTar(memoryTar(bytes), { what: 'archive "app.tar"' })).warnings.map(({ reason }) => reason);
  expect(await warningsOf(tarArchive([entry], 0))).toEqual(["missing-end"]);
  expect(await warningsOf(tarArchive([entry], 1))).toEqual(["single-end-block"]);
  expect(await warningsOf(tarArchive([entry], 2))).toEqual([]);
  expect(await warningsOf(tarArchive([entry], 20))).toEqual([]);
  expect(await warningsOf(Buffer.concat([tarArchive([entry]), Buffer.alloc(100)]))).toEqual(["odd-length"]);
  const { warnings } = await indexTar(memoryTar(tarArchive([entry], 0)), { what: 'archive "app.tar"' });
  expect(warnings[0]?.message).toBe('Archive "app.tar" ends at byte 1024 without its closing zero blocks');
});

test.each<[string, Uint8Array, RegExp]>([
  ["an empty file", new Uint8Array(), /it is an empty file/],
  [
    "a gzip file",
    Buffer.concat([Uint8Array.of(0x1f, 0x8b, 8), Buffer.alloc(2000, 3)]),
    /it looks like gzip data of 2\.0 KiB/,
  ],
  ["a JSON file", Buffer.from('{"a":1}'), /it looks like JSON of 7 bytes/],
  ["a long text", Buffer.alloc(5000, "hello\n"), /it looks like text of 4\.9 KiB/],
])("indexTar() refuses %s as no tar at all", async (_, bytes, message) => {
  const error = await failure(memoryTar(bytes));
  expect(error.reason).toBe("not-a-tar");
  expect(error.message).toMatch(message);
  expect(error.message).toMatch(/^Cannot read archive "app\.tar": .*, expected an image archive$/);
});

test("indexTar() stops when its signal is aborted, also midway", async () => {
  const bytes = tarArchive([tarEntry({ name: "a", body: Buffer.alloc(100_000) }), tarEntry({ name: "b" })]);
  await expect(indexTar(memoryTar(bytes), { signal: AbortSignal.abort(new Error("stop")) })).rejects.toThrow("stop");
  const controller = new AbortController();
  const memory = memoryTar(bytes);
  const read: TarFile["read"] = (target, position) => {
    if (position > 0) controller.abort(new Error("stop"));
    return memory.read(target, position);
  };
  await expect(indexTar({ size: bytes.length, read }, { signal: controller.signal })).rejects.toThrow("stop");
  expect(memory.reads).toHaveLength(2);
});
