// Pushes of archives that are read from beginning to end: as a compressed file, or out of a pipe.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { afterAll, expect } from "vitest";
import { sharedChunks } from "../../src/content/chunks/chunks.ts";
import { ImgpackError, push } from "../../src/index.ts";
import { OCI_CONFIG, OCI_MANIFEST } from "../../src/oci/media-types.ts";
import { configOf, fileWith, seededBytes } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { ScriptedRegistry, type ScriptOptions } from "../support/scripted-registry.ts";
import { tarArchive, tarEntry } from "../support/tar-builder.ts";
import type { Pushed } from "./push-support.ts";

/** Other processes have temporary files, too: those of this test file go into a folder of their own. */
export function ownTemporaryFolder(): void {
  const folder = mkdtempSync(join(tmpdir(), "imgpack-once-"));
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = folder;
  afterAll(() => {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
    rmSync(folder, { recursive: true, force: true });
  });
}

export type PushOptions = NonNullable<Parameters<typeof push>[1]>;

/** How one and the same archive may come. */
export const WAYS = ["plain", "gzip", "pipe", "gzip pipe"] as const;
export type Way = (typeof WAYS)[number];

const tarLayers = new Map<string, Buffer>();

/** A raw layer: a tar with one file that no compression shrinks. The same one is made once: change none. */
export function tarLayer(seed: string, bytes = 3000): Buffer {
  const key = `${bytes} ${seed}`;
  const known = tarLayers.get(key) ?? newTarLayer(seed, bytes);
  tarLayers.set(key, known);
  return known;
}

function newTarLayer(seed: string, bytes: number): Buffer {
  const { buffer, byteOffset, length } = tarArchive([
    tarEntry({ name: `file-of-${seed}`, body: seededBytes(seed, bytes) }),
  ]);
  return Buffer.from(buffer, byteOffset, length);
}

/** Two full parts of an upload, and a rest. */
export const HUGE_BYTES: number = 18 * 1024 * 1024;

export function inPieces(bytes: Uint8Array, piece = 60_000): Readable {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += piece) yield Buffer.from(bytes.subarray(at, at + piece));
  }
  return Readable.from(pieces(), { objectMode: false });
}

const gzipped = new WeakMap<Uint8Array, Buffer>();

/** The same bytes are compressed once. */
export function fast(bytes: Uint8Array): Buffer {
  const known = gzipped.get(bytes) ?? gzipSync(bytes, { level: 1 });
  gzipped.set(bytes, known);
  return known;
}

/** Pushes the bytes in that way. What goes wrong must leave nothing behind. */
export async function pushBytes(
  registry: ScriptedRegistry,
  way: Way | Readable,
  bytes: Uint8Array,
  options: PushOptions = {},
): Promise<Pushed> {
  const before = temporaryFiles();
  const isPipe = typeof way !== "string" || way.endsWith("pipe");
  const sent = typeof way === "string" && way.startsWith("gzip") ? fast(bytes) : bytes;
  const stdin = typeof way === "string" ? inPieces(sent) : way;
  const path = isPipe ? "-" : await fileWith(sent, "image.tar");
  const known = { registry: registry.host, ...(isPipe ? { stdin } : {}) };
  try {
    return { registry, result: await push([path], { ...known, ...options }), error: undefined };
  } catch (error) {
    if (!(error instanceof ImgpackError)) throw error;
    return { registry, result: undefined, error };
  } finally {
    expect(sharedChunks.lentChunks).toBe(0);
    expect(temporaryFiles()).toEqual(before);
    if (isPipe) expect(stdin.destroyed).toBe(true);
  }
}

/** With `--tag`, so that layers go out while the archive is read. */
export async function pushTagged(
  way: Way | Readable,
  bytes: Uint8Array,
  script: ScriptOptions = {},
  options: PushOptions = {},
): Promise<Pushed> {
  const registry = await ScriptedRegistry.start(script);
  return await pushBytes(registry, way, bytes, { tag: [`${registry.host}/app:1`], ...options });
}

/** The spool's file must never be seen by its name. */
function temporaryFiles(): readonly string[] {
  return readdirSync(tmpdir()).filter(name => /^imgpack-[0-9a-f]{24}$/.test(name));
}

export function expectNothingTagged({ registry }: Pushed): void {
  expect(registry.content.manifests.size).toBe(0);
  expect(registry.seen(/^PUT .*\/manifests\//)).toEqual([]);
}

/** Every upload that began has ended: with its digest, or by being cancelled. */
export function expectNoSessions({ registry }: Pushed): void {
  const idOf = (path: string): string | undefined => /\/uploads\/([^/?]+)/.exec(path)?.[1];
  const ended = new Set(
    registry.seen(/^DELETE .*\/uploads\/|^PUT .*\/uploads\/.*digest=/).map(({ path }) => idOf(path)),
  );
  const begun = registry.seen(/^PATCH .*\/uploads\//).map(({ path }) => idOf(path));
  expect(begun.filter(id => !ended.has(id))).toEqual([]);
}

/** A docker archive of these layers, its entries in that order: "m" is the metadata, a number a layer. */
export function ordered(layers: readonly Uint8Array[], order: readonly ("m" | number)[], tag = "app:1"): Uint8Array {
  const layer = (place: number): Uint8Array =>
    tarEntry({ name: `${place}/layer.tar`, body: layers[place] ?? Buffer.alloc(0) });
  const names = layers.map((_layer, place) => `${place}/layer.tar`);
  const metadata = Buffer.concat([
    tarEntry({ name: "config.json", body: configOf(layers) }),
    tarEntry({
      name: "manifest.json",
      body: JSON.stringify([{ Config: "config.json", RepoTags: [tag], Layers: names }]),
    }),
  ]);
  return tarArchive(order.map(part => (part === "m" ? metadata : layer(part))));
}

export async function fixture(name: string): Promise<Buffer> {
  return await readFile(new URL(`../../fixtures/${name}`, import.meta.url));
}

/** What tests compare: references without the port, and digests. */
export function imagesOf({ result }: Pushed): readonly string[] {
  return (result?.images ?? []).map(({ reference, digest }) => `${reference.replace(/^[^/]+\//, "")}@${digest}`).sort();
}

/** An OCI layout of one layer, under a name that claims `hex`. */
export function layoutArchive(layer: Uint8Array, hex: string, raw: Uint8Array, mediaType: string): Uint8Array {
  const config = Buffer.from(configOf([raw]));
  const describe = (bytes: Uint8Array, mediaType: string, digest = sha256(bytes)): object => ({
    mediaType,
    digest,
    size: bytes.length,
  });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: describe(config, OCI_CONFIG),
      layers: [describe(layer, mediaType, `sha256:${hex}`)],
    }),
  );
  const root = {
    ...describe(manifest, OCI_MANIFEST),
    annotations: { "io.containerd.image.name": "127.0.0.1:5000/app:1" },
  };
  const named = (bytes: Uint8Array): string => `blobs/sha256/${sha256(bytes).slice(7)}`;
  return tarArchive([
    tarEntry({ name: `blobs/sha256/${hex}`, body: layer }),
    tarEntry({ name: named(config), body: config }),
    tarEntry({ name: named(manifest), body: manifest }),
    tarEntry({ name: "index.json", body: JSON.stringify({ schemaVersion: 2, manifests: [root] }) }),
    tarEntry({ name: "oci-layout", body: '{"imageLayoutVersion": "1.0.0"}' }),
  ]);
}
