import { createCipheriv, createHash } from "node:crypto";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BlobRecord, decodeRecords, type JournalRecord } from "../../src/archive/partial/journal-record.ts";
import { COMMAND } from "../support/command.ts";
import { describeWith, type Probe } from "./peers/describe-with.ts";
import { createImgpack, type Imgpack } from "./peers/imgpack.ts";
import { findTool, run } from "./peers/run.ts";
import { type Served, startServe } from "./peers/served.ts";
import { bytesOf, readCalls, type SystemCall, straceWords } from "./peers/strace.ts";

const RUNS = Number(process.env["CENSUS_RUNS"] ?? 1);
const MIB = 1024 * 1024;
/** Checkpoints are seconds apart, which is longer than the pull takes: its clock runs faster. */
const FAST_CLOCK =
  "--import=data:text/javascript,const/**/now=performance.now.bind(performance);performance.now=()=>50*now();";
const MIN_CHECKPOINTS = COMMAND[0] === process.execPath ? 2 : 0;
const LAYERS = [96 * MIB, 70 * MIB, 48 * MIB, 3 * MIB];

async function probeStrace(): Promise<Probe> {
  if (findTool("strace") === undefined) return { name: "strace", missing: "strace is not installed" };
  const { code, stderr } = await run("strace", ["-o", "/dev/null", "true"]);
  return { name: "strace", missing: code === 0 ? undefined : stderr.trim() };
}

/** An OCI layout of layers that gzip does not shrink. */
async function writeLayout(folder: string): Promise<void> {
  await mkdir(join(folder, "blobs/sha256"), { recursive: true });
  const add = async (mediaType: string, bytes: Uint8Array): Promise<object> => {
    const hex = createHash("sha256").update(bytes).digest("hex");
    await writeFile(join(folder, "blobs/sha256", hex), bytes);
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
  };
  const json = (document: object): Buffer => Buffer.from(JSON.stringify(document));
  const diffIds: string[] = [];
  const layers: object[] = [];
  for (const [index, size] of LAYERS.entries()) {
    const raw = createCipheriv("aes-128-ctr", Buffer.alloc(16, index), Buffer.alloc(16)).update(Buffer.alloc(size));
    diffIds.push(`sha256:${createHash("sha256").update(raw).digest("hex")}`);
    layers.push(await add("application/vnd.oci.image.layer.v1.tar+gzip", gzipSync(raw, { level: 0 })));
  }
  const rootfs = { type: "layers", diff_ids: diffIds };
  const config = await add(
    "application/vnd.oci.image.config.v1+json",
    json({ os: "linux", architecture: process.arch === "arm64" ? "arm64" : "amd64", rootfs }),
  );
  const type = "application/vnd.oci.image.manifest.v1+json";
  const manifest = await add(type, json({ schemaVersion: 2, mediaType: type, config, layers }));
  await writeFile(join(folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  const annotations = { "org.opencontainers.image.ref.name": "1" };
  await writeFile(join(folder, "index.json"), json({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }));
}

interface Census {
  readonly checkpoints: number;
  readonly calls: number;
}

/** @throws when a call came too early, or was made where none is expected. */
function takeCensus(calls: readonly SystemCall[], folder: string, cache: string): Census {
  const output = join(folder, "out.tar");
  const [partial, journal] = [`${output}.partial`, `${output}.partial.journal`];
  const on = (path: string, ...names: readonly string[]): readonly SystemCall[] =>
    calls.filter(({ name, paths: [first] }) => names.includes(name) && first === path);
  const only = (found: readonly SystemCall[]): SystemCall => {
    const [call] = found;
    if (call === undefined || found.length !== 1) throw new Error(`found ${found.length} calls, expected one`);
    return call;
  };
  const writes = on(partial, "pwrite64", "write").map(call => {
    const [, length, position] = /, (\d+), (\d+) *$/.exec(call.text) ?? [];
    return { ...call, from: Number(position), to: Number(position) + Number(length) };
  });
  const dataSyncs = on(partial, "fdatasync", "fsync");
  const journalSyncs = on(journal, "fdatasync", "fsync");
  const rename = only(calls.filter(({ name, paths }) => name.startsWith("rename") && paths.includes(partial)));
  expect(rename.paths.at(-1)).toBe(output);

  let checkpoints = 0;
  const blobs = new Map<number, BlobRecord>();
  const kinds = new Set<JournalRecord["type"]>();
  for (const append of on(journal, "write", "pwrite64")) {
    let isDurable = false;
    for (const record of decodeRecords(bytesOf(append))) {
      kinds.add(record.type);
      if (record.type === "blob") blobs.set(record.index, record);
      if (record.type !== "progress" || !record.isDurable) continue;
      isDurable = true;
      const start = blobs.get(record.index)?.offset ?? Number.NaN;
      const synced = Math.max(...dataSyncs.filter(({ end }) => end < append.start).map(sync => sync.start));
      const inside = writes.filter(write => write.to > start && write.from < start + record.bytes);
      expect(inside.length).toBeGreaterThan(0);
      for (const write of inside) expect(write.end, "data is synced before the journal says so").toBeLessThan(synced);
    }
    if (!isDurable) continue;
    checkpoints += 1;
    const next = journalSyncs.find(({ start }) => start > append.end);
    expect(next?.end, "the journal is synced after a checkpoint").toBeLessThan(rename.start);
  }
  expect([...kinds].sort()).toEqual(["blob", "claim", "done", "open", "progress"]);

  const last = dataSyncs.at(-1);
  const header = writes.at(-1);
  if (last === undefined || header === undefined) throw new Error("no sync of the data");
  expect(last.name).toBe("fsync");
  expect([header.from, header.to]).toEqual([0, 512]);
  for (const { end } of writes) expect(end, "no write after the last sync").toBeLessThan(last.start);
  const others = dataSyncs.filter(({ end }) => end < header.start).map(sync => sync.start);
  const before = Math.max(...writes.filter(write => write !== header).map(({ end }) => end));
  expect(Math.max(...others), "all is synced before the first header").toBeGreaterThan(before);
  expect(last.end, "no rename before the sync").toBeLessThan(rename.start);
  const folderSyncs = on(folder, "fsync", "fdatasync");
  const named = folderSyncs.find(({ start }) => start > rename.end);
  const removal = only(calls.filter(({ name, paths }) => name.startsWith("unlink") && paths.includes(journal)));
  expect(named?.end, "the name is synced before the journal goes").toBeLessThan(removal.start);

  const changed = calls.filter(
    ({ name, text }) => !name.startsWith("open") || /O_WRONLY|O_RDWR|O_CREAT|O_TRUNC/.test(text),
  );
  const places = new Set(changed.flatMap(({ paths }) => paths.filter(path => path.startsWith("/") && path !== folder)));
  // What the cache remembers of manifests is no part of the order.
  const isElsewhere = (path: string): boolean => !["/dev/", "/proc/", cache].some(start => path.startsWith(start));
  expect([...places].filter(isElsewhere).sort()).toEqual([output, partial, journal].sort());
  return { checkpoints, calls: calls.length };
}

const strace = await probeStrace();

describeWith([strace], "the order of syncs of a pull", () => {
  let imgpack: Imgpack;
  let server: Served;
  let host = "";
  beforeAll(async () => {
    imgpack = await createImgpack();
    server = await startServe(join(imgpack.folder, "store"));
    ({ host } = server);
    const layout = join(imgpack.folder, "layout");
    await writeLayout(layout);
    await imgpack.push([layout, "--tag", `${host}/app:1`]);
    await rm(layout, { recursive: true });
  });
  afterAll(async () => {
    await server?.end();
    await imgpack?.close();
  });

  test(
    "data before the journal, all before the name, and nothing written elsewhere",
    async () => {
      let checkpoints = 0;
      let calls = 0;
      for (let index = 0; index < RUNS; index += 1) {
        const folder = join(imgpack.folder, `run-${index}`);
        await mkdir(folder);
        const log = join(imgpack.folder, "strace.log");
        const cache = join(imgpack.folder, "cache-of-pull");
        const words = [...COMMAND, "pull", `${host}/app:1`, "-o", join(folder, "out.tar"), "--quiet"];
        const [command = "", ...rest] = [...straceWords(log), ...words];
        const { code, stderr } = await run(command, rest, {
          env: { IMGPACK_CACHE_DIR: cache, IMGPACK_CODE_CACHE: "off", UV_USE_IO_URING: "0", NODE_OPTIONS: FAST_CLOCK },
        });
        expect(code, stderr).toBe(0);
        const census = takeCensus(await readCalls(log), folder, cache);
        expect(census.checkpoints).toBeGreaterThanOrEqual(MIN_CHECKPOINTS);
        checkpoints += census.checkpoints;
        calls += census.calls;
        expect(await readdir(folder)).toEqual(["out.tar"]);
        await rm(folder, { recursive: true });
      }
      console.log(`sync order: ${RUNS} pulls, ${checkpoints} checkpoints, ${calls} system calls, 0 out of order`);
    },
    RUNS * 60_000 + 60_000,
  );
});
