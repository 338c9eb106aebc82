import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { ImgpackError, pull } from "../../src/index.ts";
import { type StoredImage, seededBytes, storeImage, temporaryFolder } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { type Fault, ScriptedRegistry, type ScriptOptions } from "../support/scripted-registry.ts";

export const MIB: number = 1024 * 1024;
/** Comes over a bulk connection. */
export const BIG: Buffer = Buffer.alloc(2 * MIB + 17, seededBytes("big", 4099));
/** Comes over an ordinary one. */
export const SMALL: Buffer = seededBytes("small", 10_000);
export const BIG_BLOB: RegExp = new RegExp(`^GET /v2/app/blobs/${sha256(BIG)}`);
export const SMALL_BLOB: RegExp = new RegExp(`^GET /v2/app/blobs/${sha256(SMALL)}`);
export const MANIFEST: RegExp = /^GET \/v2\/app\/manifests\//;

export interface Pulled {
  readonly registry: ScriptedRegistry;
  readonly image: StoredImage;
  readonly folder: string;
  readonly output: string;
  readonly error: ImgpackError | undefined;
}

export interface PullCase extends ScriptOptions {
  readonly layers?: readonly Buffer[];
  readonly tag?: string;
  /** Instead of the registry's address with `tag`. */
  readonly reference?: string;
  readonly options?: Partial<Parameters<typeof pull>[1]>;
}

/** Pulls an image from a registry with these faults into an empty folder. */
export async function pullCase({ layers = [BIG], tag = "1", options, ...script }: PullCase = {}): Promise<Pulled> {
  return await pullFrom(await ScriptedRegistry.start(script), { layers, tag, ...(options && { options }) });
}

export async function pullFrom(
  registry: ScriptedRegistry,
  { layers = [BIG], tag = "1", reference, options }: Omit<PullCase, keyof ScriptOptions> = {},
): Promise<Pulled> {
  const image = storeImage(registry.content, layers);
  const folder = await temporaryFolder();
  const output = join(folder, "out.tar");
  let error: ImgpackError | undefined;
  try {
    await pull([reference ?? `${registry.host}/app:${tag}`], { output, platform: ["linux/amd64"], ...options });
  } catch (cause) {
    if (!(cause instanceof ImgpackError)) throw cause;
    error = cause;
  }
  return { registry, image, folder, output, error };
}

export async function expectWhole({ output, image, error }: Pulled): Promise<void> {
  expect(error?.message).toBeUndefined();
  const archive = await readFile(output);
  for (const { bytes } of image.layers) expect(archive.includes(bytes)).toBe(true);
}

export function expectNothingLeft({ folder }: Pulled): void {
  expect(readdirSync(folder)).toEqual([]);
}

/** Every request for what matches, by its Range header. */
export function rangesOf({ registry }: Pulled, pattern: RegExp): readonly (string | undefined)[] {
  return registry.seen(pattern).map(({ headers }) => headers.range);
}

export function always(fault: Fault): Fault {
  return { times: Number.POSITIVE_INFINITY, ...fault };
}
