// Pushes whose registry goes away in the middle of a large layer, and comes back.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect } from "vitest";
import { ImgpackError, type ProgressEvent, push } from "../../src/index.ts";
import { dockerArchive, fileWith, seededBytes, temporaryFolder } from "../support/images.ts";
import { type KeepingOptions, KeepingRegistry } from "../support/keeping-registry.ts";
import { sha256 } from "../support/memory-registry.ts";

export const LAYER: Buffer = seededBytes("large", 17 * 1024 * 1024 + 5);
const SMALL = seededBytes("small", 5000);
const ARCHIVE = dockerArchive({ tags: ["app:1"], layers: [LAYER, SMALL] });
export const MANIFEST: RegExp = /^PUT \/v2\/app\/manifests\//;
/** Sends layers as they are. */
export const KEEP = { compression: "keep" } as const;
/** Bytes that the registry has when the first run ends. */
export const KEPT = 12_345_678;

type Options = NonNullable<Parameters<typeof push>[1]>;

export class Runs {
  readonly registry: KeepingRegistry;
  readonly cacheDir: string;
  readonly archive: string;
  readonly events: ProgressEvent[] = [];

  constructor(registry: KeepingRegistry, cacheDir: string, archive: string) {
    this.registry = registry;
    this.cacheDir = cacheDir;
    this.archive = archive;
  }

  static async start(options: KeepingOptions = {}): Promise<Runs> {
    return new Runs(await KeepingRegistry.start(options), await temporaryFolder(), await fileWith(ARCHIVE));
  }

  async push(options: Options = {}): Promise<ImgpackError | undefined> {
    const { registry, cacheDir } = this;
    try {
      const onProgress = (event: ProgressEvent): void => void this.events.push(event);
      const connection = { host: registry.host, retry: { count: 0 } };
      const fixed = { registry: connection, cacheDir, concurrency: 1, onProgress };
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
    return join(this.cacheDir, "uploads");
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
  async expectDone(raw = true, left = 0): Promise<void> {
    const { content, requests, openSessions } = this.registry;
    const manifest = JSON.parse(content.manifests.get("app:1")?.bytes.toString() ?? "{}") as {
      layers: { digest: string }[];
    };
    const stored = manifest.layers.map(({ digest }) => content.blobs.get(digest) ?? Buffer.alloc(0));
    expect(stored.map(bytes => sha256(raw ? bytes : gunzipSync(bytes)))).toEqual([LAYER, SMALL].map(sha256));
    expect(requests.at(-1)?.path).toBe("/v2/app/manifests/1");
    expect(requests.filter(({ method, path }) => MANIFEST.test(`${method} ${path}`))).toHaveLength(1);
    expect(openSessions).toBe(left);
    expect(await this.journalFiles()).toEqual([]);
    expect(JSON.stringify(this.events)).not.toMatch(/secret-session|_state/);
  }
}

/** A run that left a record of its upload. */
export async function brokenOff(): Promise<{ readonly runs: Runs; readonly path: string; readonly text: string }> {
  const runs = await Runs.start();
  await runs.breakOff(1_234_567, KEEP);
  const path = await runs.onlyRecord();
  return { runs, path, text: await readFile(path, "utf8") };
}

/** The next run does not ask for the upload of an earlier one. */
export async function expectWholeUpload(runs: Runs): Promise<void> {
  expect(await runs.push(KEEP)).toBeUndefined();
  expect(runs.registry.seen(/^GET .*uploads/)).toEqual([]);
  expect(runs.registry.uploadedBytes).toBeGreaterThanOrEqual(LAYER.length);
}
