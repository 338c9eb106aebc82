import { gunzipSync } from "node:zlib";
import { expect } from "vitest";
import { ImgpackError, type PushResult, push } from "../../src/index.ts";
import { dockerArchive, fileWith, seededBytes } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { type Fault, ScriptedRegistry, type ScriptOptions } from "../support/scripted-registry.ts";

/** Is compressed and streamed in one go. */
export const BIG_LAYER: Buffer = Buffer.alloc(1_100_000, seededBytes("big", 4099));
/** Is compressed in memory first. */
export const SMALL_LAYER: Buffer = seededBytes("small", 5000);

export interface Pushed {
  readonly registry: ScriptedRegistry;
  readonly result: PushResult | undefined;
  readonly error: ImgpackError | undefined;
}

export interface PushCase extends ScriptOptions {
  readonly layers?: readonly Uint8Array[];
  readonly config?: string;
  readonly options?: Parameters<typeof push>[1];
}

/** Pushes a docker archive of these layers as `app:1`. */
export async function pushCase({ layers, config, options, ...script }: PushCase = {}): Promise<Pushed> {
  return await pushTo(await ScriptedRegistry.start(script), {
    ...(layers && { layers }),
    ...(config && { config }),
    ...(options && { options }),
  });
}

export async function pushTo(
  registry: ScriptedRegistry,
  { layers = [BIG_LAYER, SMALL_LAYER], config, options }: Omit<PushCase, keyof ScriptOptions> = {},
): Promise<Pushed> {
  const archive = await fileWith(dockerArchive({ tags: ["app:1"], layers, ...(config && { config }) }));
  const connection = typeof options?.registry === "object" ? options.registry : {};
  const given = { ...options, registry: { host: registry.host, ...connection } };
  try {
    return { registry, result: await push([archive], given), error: undefined };
  } catch (error) {
    if (!(error instanceof ImgpackError)) throw error;
    return { registry, result: undefined, error };
  }
}

/** The registry holds the image, and its layers are those of the archive. */
export function expectStored(
  { registry, error }: Pushed,
  layers: readonly Uint8Array[] = [BIG_LAYER, SMALL_LAYER],
  name = "app:1",
): void {
  expect(error?.message).toBeUndefined();
  const manifest = registry.content.manifests.get(name);
  const document = JSON.parse(manifest?.bytes.toString() ?? "{}") as {
    readonly config: { readonly digest: string };
    readonly layers: readonly { readonly digest: string }[];
  };
  expect(registry.content.blobs.has(document.config.digest)).toBe(true);
  const found = document.layers.map(({ digest }) =>
    sha256(gunzipSync(registry.content.blobs.get(digest) ?? Buffer.alloc(0))),
  );
  expect(found).toEqual(layers.map(sha256));
}

export function expectNoManifest({ registry }: Pushed): void {
  expect(registry.content.manifests.size).toBe(0);
}

export function count({ registry }: Pushed, pattern: RegExp): number {
  return registry.seen(pattern).length;
}

export function always(fault: Fault): Fault {
  return { times: Number.POSITIVE_INFINITY, ...fault };
}
