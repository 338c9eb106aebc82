import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { ImgpackError, type ProgressEvent, push } from "../../src/index.ts";
import { serveRegistry } from "../../src/serve/server.ts";
import { isRunning, ownIdentity } from "../../src/util/process-identity.ts";
import { dockerArchive, fileWith, seededBytes, temporaryFolder } from "../support/images.ts";
import { type KeepingOptions, KeepingRegistry } from "../support/keeping-registry.ts";
import { sha256 } from "../support/memory-registry.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { expectNoSessions, ordered, pushBytes, tarLayer } from "./push-once-support.ts";

vi.mock("node:timers/promises", async original => ({
  ...(await original<object>()),
  ...(await import("../support/instant-waits.ts")),
}));
vi.mock("../../src/util/process-identity.ts", async original => {
  const real = await original<typeof import("../../src/util/process-identity.ts")>();
  return { ...real, isRunning: vi.fn(real.isRunning) };
});

const LAYER = seededBytes("large", 17 * 1024 * 1024 + 5);
const SMALL = seededBytes("small", 5000);
const MANIFEST = /^PUT \/v2\/app\/manifests\//;
/** Bytes that the registry has when the first run ends. */
const KEPT = 12_345_678;

type Options = NonNullable<Parameters<typeof push>[1]>;

class Runs {
  readonly registry: KeepingRegistry;
  readonly cacheFolder: string;
  readonly archive: string;
  readonly events: ProgressEvent[] = [];

  constructor(registry: KeepingRegistry, cacheFolder: string, archive: string) {
    this.registry = registry;
    this.cacheFolder = cacheFolder;
    this.archive = archive;
  }

  static async start(options: KeepingOptions = {}): Promise<Runs> {
    const archive = await fileWith(dockerArchive({ tags: ["app:1"], layers: [LAYER, SMALL] }));
    return new Runs(await KeepingRegistry.start(options), await temporaryFolder(), archive);
  }

  async push(options: Options = {}): Promise<ImgpackError | undefined> {
    const { registry, cacheFolder } = this;
    try {
      const onProgress = (event: ProgressEvent): void => void this.events.push(event);
      const fixed = { registry: registry.host, cacheFolder, retries: 0, concurrency: 1, onProgress };
      await push([this.archive], { ...fixed, ...options });
      return undefined;
    } catch (error) {
      if (!(error instanceof ImgpackError)) throw error;
      return error;
    }
  }

  /** A run whose registry goes away after so many bytes: all that a killed process leaves is there then. */
  async breakOff(bytes: number, options: Options = {}): Promise<void> {
    this.registry.leaveAfter(bytes);
    const error = await this.push(options);
    expect(error).toMatchObject({ code: "ERR_NETWORK", exitCode: 7 });
    expect(`${error?.message} ${error?.hint}`).not.toMatch(/secret-session|_state/);
    expect(this.registry.seen(MANIFEST)).toEqual([]);
    this.registry.comeBack();
  }

  get journal(): string {
    return join(this.cacheFolder, "uploads");
  }

  async journalFiles(): Promise<readonly string[]> {
    return await readdir(this.journal);
  }

  async onlyRecord(): Promise<string> {
    const [name = "", ...others] = await this.journalFiles();
    expect(others).toEqual([]);
    return join(this.journal, name);
  }

  /** The image is whole, its manifest came last, nothing is left over, and nobody was told an upload's address. */
  async expectDone(raw = true): Promise<void> {
    const { content, requests, openSessions } = this.registry;
    const manifest = JSON.parse(content.manifests.get("app:1")?.bytes.toString() ?? "{}") as {
      layers: { digest: string }[];
    };
    const stored = manifest.layers.map(({ digest }) => content.blobs.get(digest) ?? Buffer.alloc(0));
    expect(stored.map(bytes => sha256(raw ? bytes : gunzipSync(bytes)))).toEqual([LAYER, SMALL].map(sha256));
    expect(requests.at(-1)?.path).toBe("/v2/app/manifests/1");
    expect(requests.filter(({ method, path }) => MANIFEST.test(`${method} ${path}`))).toHaveLength(1);
    expect(openSessions).toBe(0);
    expect(await this.journalFiles()).toEqual([]);
    expect(JSON.stringify(this.events)).not.toMatch(/secret-session|_state/);
  }
}

const KEEP = { compression: "keep" } as const;

describe("push() goes on with an upload that an earlier run left", () => {
  test("push() of a layer as it is sends only what the registry has not", async () => {
    const runs = await Runs.start();
    await runs.breakOff(KEPT, KEEP);
    const file = await stat(await runs.onlyRecord());
    expect(file.mode & 0o777).toBe(0o600);
    expect((await stat(runs.journal)).mode & 0o777).toBe(0o700);
    expect(await runs.push(KEEP)).toBeUndefined();
    const [large] = runs.registry.seen(/^PATCH /);
    expect(large?.range).toMatch(new RegExp(`^${KEPT}-`));
    const bytes = runs.registry.seen(/^PATCH /).reduce((sum, seen) => sum + seen.bytes, 0);
    expect(bytes).toBe(LAYER.length - KEPT);
    expect(runs.events).toContainEqual({
      kind: "note",
      message: `${runs.registry.host}/app has ${KEPT} bytes of blob ${sha256(LAYER)} from an earlier run; uploading the rest`,
    });
    await runs.expectDone();
  });

  test("push() of a layer that is compressed on its way makes it again, and sends the rest", async () => {
    const runs = await Runs.start();
    await runs.breakOff(KEPT);
    expect(await runs.push()).toBeUndefined();
    const sent = runs.registry.seen(/^PATCH /).reduce((sum, { bytes }) => sum + bytes, 0);
    const whole = Math.max(...[...runs.registry.content.blobs.values()].map(({ length }) => length));
    expect(sent).toBe(whole - KEPT);
    await runs.expectDone(false);
  });

  test("push() only closes an upload of which everything had arrived", async () => {
    const runs = await Runs.start();
    await runs.breakOff(LAYER.length, KEEP);
    expect(await runs.push(KEEP)).toBeUndefined();
    expect(runs.registry.seen(/^PATCH /)).toEqual([]);
    await runs.expectDone();
  });

  test("push() that breaks off again and again sends every byte once", async () => {
    const runs = await Runs.start();
    let left = LAYER.length;
    for (const bytes of [1, 9_000_000, 10_000, 3_000_000]) {
      runs.registry.comeBack();
      runs.registry.leaveAfter(bytes);
      expect(await runs.push(KEEP)).toMatchObject({ exitCode: 7 });
      left -= runs.registry.uploadedBytes;
    }
    // One byte cannot be told from none: "0-0" is said of both.
    left += 1;
    runs.registry.comeBack();
    expect(await runs.push(KEEP)).toBeUndefined();
    expect(runs.registry.seen(/^PATCH /).reduce((sum, { bytes }) => sum + bytes, 0)).toBe(left);
    await runs.expectDone();
  });

  test("push() ends a stream to distribution when it is interrupted, and goes on there", async () => {
    const runs = await Runs.start({ isDistribution: true });
    const stop = new AbortController();
    const enough = new Error("enough");
    runs.registry.callAfter(KEPT, () => stop.abort(enough));
    await expect(runs.push({ ...KEEP, signal: stop.signal })).rejects.toBe(enough);
    expect(runs.registry.seen(/^DELETE /)).toEqual([]);
    const kept = runs.registry.uploadedBytes;
    expect(kept).toBeGreaterThanOrEqual(KEPT);
    expect(kept).toBeLessThan(LAYER.length);
    runs.registry.comeBack();
    expect(await runs.push(KEEP)).toBeUndefined();
    const [rest, ...others] = runs.registry.seen(/^PATCH /);
    expect(rest).toMatchObject({ range: undefined, bytes: LAYER.length - kept });
    expect(others).toEqual([]);
    await runs.expectDone();
  });

  test("push() starts over where the registry has forgotten the upload", async () => {
    const runs = await Runs.start({ isDistribution: true });
    await runs.breakOff(KEPT, KEEP);
    expect(await runs.push(KEEP)).toBeUndefined();
    expect(runs.registry.seen(/^PATCH /).map(({ bytes }) => bytes)).toEqual([LAYER.length]);
    await runs.expectDone();
  });

  test.each([
    ["the question how far it is", /^GET .*uploads/, 500],
    ["the rest", /^PATCH .*session-1/, 416],
    ["the rest for its size", /^PATCH .*session-1/, 413],
    ["the end", /^PUT .*session-1\b.*digest/, 400],
  ])("push() starts over where the registry refuses %s", async (_what, on, status) => {
    const runs = await Runs.start();
    await runs.breakOff(KEPT, KEEP);
    runs.registry.refusal = { on, status };
    expect(await runs.push(KEEP)).toBeUndefined();
    expect(runs.events.filter(({ kind }) => kind === "note")).toContainEqual(
      expect.objectContaining({ message: expect.stringMatching(/; (uploading it from the start|starting over)$/) }),
    );
    expect(runs.registry.seen(/^PATCH .*session-[2-9]/)).toMatchObject([{ bytes: LAYER.length }]);
    runs.registry.refusal = undefined;
    await runs.expectDone();
  });

  test("push() gets over a connection that breaks, within one run, without sending anything twice", async () => {
    const runs = await Runs.start();
    runs.registry.leaveAfter(KEPT);
    const back = (event: ProgressEvent): void => {
      if (event.kind === "retry") runs.registry.comeBack();
    };
    expect(await runs.push({ ...KEEP, retries: 2, onProgress: back })).toBeUndefined();
    expect(runs.registry.seen(/^PATCH /).reduce((sum, { bytes }) => sum + bytes, 0)).toBe(LAYER.length - KEPT);
    await runs.expectDone();
  });

  test("push() with an archive that is compressed as a whole goes on, too", async () => {
    const runs = await Runs.start();
    const plain = await readFile(runs.archive);
    await writeFile(runs.archive, gzipSync(plain, { level: 1 }));
    await runs.breakOff(KEPT, KEEP);
    expect(await runs.push(KEEP)).toBeUndefined();
    const sent = runs.registry.seen(/^PATCH /).reduce((sum, { bytes }) => sum + bytes, 0);
    expect(sent).toBeLessThan(LAYER.length - KEPT + 8 * 1024 * 1024);
    await runs.expectDone();
  });

  test("push() without a cache folder keeps nothing, and sends a large blob in one PUT", async () => {
    const runs = await Runs.start();
    expect(await runs.push({ ...KEEP, cacheFolder: undefined })).toBeUndefined();
    expect(runs.registry.seen(/^PATCH /)).toEqual([]);
    await expect(runs.journalFiles()).rejects.toThrow("ENOENT");
  });

  test("push() keeps no upload of a layer that is not what its archive says", async () => {
    const runs = await Runs.start();
    const bytes = await readFile(runs.archive);
    bytes[9_000_000] = (bytes[9_000_000] ?? 0) ^ 1;
    await writeFile(runs.archive, bytes);
    expect(await runs.push(KEEP)).toMatchObject({ exitCode: 6 });
    expect(runs.registry.openSessions).toBe(0);
    expect(runs.registry.seen(MANIFEST)).toEqual([]);
    expect(await runs.journalFiles()).toEqual([]);
  });

  test("push() finds a layer altered in the part that the registry has already", async () => {
    const runs = await Runs.start();
    await runs.breakOff(KEPT, KEEP);
    const bytes = await readFile(runs.archive);
    bytes[1_000_000] = (bytes[1_000_000] ?? 0) ^ 1;
    await writeFile(runs.archive, bytes);
    expect(await runs.push(KEEP)).toMatchObject({ exitCode: 6 });
    expect(runs.registry.seen(MANIFEST)).toEqual([]);
    expect(runs.registry.content.blobs.has(sha256(LAYER))).toBe(false);
  });
});

describe("push() does not believe every record", () => {
  async function broken(): Promise<{ runs: Runs; path: string; text: string }> {
    const runs = await Runs.start();
    await runs.breakOff(KEPT, KEEP);
    const path = await runs.onlyRecord();
    return { runs, path, text: await readFile(path, "utf8") };
  }

  async function expectAnew(runs: Runs): Promise<void> {
    expect(await runs.push(KEEP)).toBeUndefined();
    expect(runs.registry.seen(/^GET .*uploads/)).toEqual([]);
    expect(runs.registry.uploadedBytes).toBeGreaterThanOrEqual(LAYER.length);
  }

  test.each<[string, (record: Record<string, unknown>) => unknown]>([
    ["of another version", record => ({ ...record, version: 2 })],
    ["that is old", record => ({ ...record, time: Date.now() - 25 * 3_600_000 })],
    ["from the future", record => ({ ...record, time: Date.now() + 25 * 3_600_000 })],
    ["without an owner", record => ({ ...record, owner: undefined })],
    ["of another blob", record => ({ ...record, id: "0".repeat(64) })],
    ["with an odd offset", record => ({ ...record, offset: -1 })],
    ["with a URL that is none", record => ({ ...record, url: "\\\\evil\\x" })],
    ["with user information in its URL", record => ({ ...record, url: String(record["url"]).replace("//", "//a:b@") })],
    ["with a local address", record => ({ ...record, url: "http://169.254.169.254/latest" })],
    ["that is a list", () => []],
    ["that is null", () => null],
  ])("push() ignores a record %s", async (_what, change) => {
    const { runs, path, text } = await broken();
    await writeFile(path, JSON.stringify(change(JSON.parse(text) as Record<string, unknown>)));
    await expectAnew(runs);
    expect(await runs.journalFiles()).toEqual([]);
  });

  test("push() ignores a torn record", async () => {
    const { runs, path, text } = await broken();
    await writeFile(path, text.slice(0, -9));
    await expectAnew(runs);
  });

  test("A-05 push() asks no other origin, whatever a record says", async () => {
    const other = await ScriptedRegistry.start();
    const { runs, path, text } = await broken();
    await writeFile(path, text.replace(runs.registry.host, other.host));
    await expectAnew(runs);
    expect(other.requests).toEqual([]);
  });

  test("push() ignores a record that others can read", async () => {
    const { runs, path } = await broken();
    await chmod(path, 0o644);
    await expectAnew(runs);
  });

  test("F-01 push() neither reads nor writes through a link", async () => {
    const { runs, path, text } = await broken();
    const elsewhere = await fileWith(Buffer.from(text), "record.json");
    await chmod(elsewhere, 0o600);
    await rm(path);
    await symlink(elsewhere, path);
    await expectAnew(runs);
    expect(await readFile(elsewhere, "utf8")).toBe(text);
  });

  test("F-01 push() writes nothing into a folder that is a link", async () => {
    const runs = await Runs.start();
    const elsewhere = await temporaryFolder();
    await mkdir(runs.cacheFolder, { recursive: true });
    await symlink(elsewhere, runs.journal);
    await runs.breakOff(KEPT, KEEP);
    expect(await readdir(elsewhere)).toEqual([]);
    expect(await runs.push(KEEP)).toBeUndefined();
  });

  test("push() leaves the upload of a run that still goes on alone", async () => {
    const { runs, path, text } = await broken();
    const owner = { ...(await ownIdentity()), pid: process.pid + 1 };
    await writeFile(path, JSON.stringify({ ...(JSON.parse(text) as object), owner }));
    vi.mocked(isRunning).mockResolvedValueOnce(true);
    await expectAnew(runs);
    expect(await runs.journalFiles()).toHaveLength(1);
    expect(runs.registry.openSessions).toBe(1);
  });

  test("push() goes on in place of a run that has ended", async () => {
    const { runs, path, text } = await broken();
    const owner = { pid: 4_000_000, started: "another boot" };
    await writeFile(path, JSON.stringify({ ...(JSON.parse(text) as object), owner }));
    expect(await runs.push(KEEP)).toBeUndefined();
    expect(runs.registry.uploadedBytes).toBeLessThan(LAYER.length);
    await runs.expectDone();
  });
});

test("push() to imgpack's own registry goes on where it was interrupted", async () => {
  const store = await temporaryFolder();
  const served = await serveRegistry({ store });
  onTestFinished(async () => await served.close());
  const archive = await fileWith(dockerArchive({ tags: ["app:1"], layers: [LAYER] }));
  const options = { registry: served.url.replace("http://", ""), cacheFolder: await temporaryFolder(), ...KEEP };
  const stop = new AbortController();
  let bytes = 0;
  const onProgress = (event: ProgressEvent): void => {
    if (event.kind === "bytes") bytes += event.delta;
    if (bytes > KEPT) stop.abort(new Error("enough"));
  };
  await expect(push([archive], { ...options, onProgress, signal: stop.signal })).rejects.toThrow("enough");
  const { bytesSent, images } = await push([archive], options);
  expect(bytesSent).toBeGreaterThan(1000);
  expect(bytesSent).toBeLessThan(LAYER.length - KEPT + 3_000_000);
  expect(images).toHaveLength(1);
  const blob = await fetch(`${served.url}/v2/app/blobs/${sha256(LAYER)}`);
  expect(sha256(new Uint8Array(await blob.arrayBuffer()))).toBe(sha256(LAYER));
  expect(await readdir(join(options.cacheFolder, "uploads"))).toEqual([]);
});

test("push() from a pipe to several repositories keeps its layers until all have them", async () => {
  const registry = await ScriptedRegistry.start();
  const layers = [tarLayer("one", 2_000_000), tarLayer("two")];
  const tags = [`${registry.host}/app:1`, `${registry.host}/other:2`, `${registry.host}/app:3`];
  const pushed = await pushBytes(registry, "pipe", ordered(layers, [0, "m", 1]), { tags });
  expect(pushed.error?.message).toBeUndefined();
  expect(pushed.result?.images.map(({ reference }) => reference).sort()).toEqual([...tags].sort());
  for (const name of ["app:1", "other:2", "app:3"]) expect(registry.content.manifests.has(name)).toBe(true);
  expectNoSessions(pushed);
});
