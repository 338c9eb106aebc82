import type { Digest } from "./digest.ts";
import type { Platform } from "./platform.ts";

/** How a container of the image starts; empty and absent settings are left out of the config. */
export interface RuntimeSettings {
  readonly user?: string | undefined;
  /** `80/tcp`. */
  readonly exposedPorts?: readonly string[] | undefined;
  /** `NAME=VALUE`, in the order of the environment. */
  readonly env?: readonly string[] | undefined;
  readonly entrypoint?: readonly string[] | undefined;
  readonly cmd?: readonly string[] | undefined;
  readonly volumes?: readonly string[] | undefined;
  readonly workingDir?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

export interface ConfigParts {
  /** RFC 3339. */
  readonly created: string;
  readonly author?: string | undefined;
  readonly platform: Platform;
  readonly runtime: RuntimeSettings;
  /** Of the layer. */
  readonly diffId: Digest;
  readonly createdBy: string;
  readonly comment?: string | undefined;
}

/**
 * The config of an image with one layer (image-spec config.md) as compact JSON, with fields in the order of the
 * specification and sorted maps: equal parts give equal bytes, and so the same image ID.
 */
export function buildImageConfig(parts: ConfigParts): Uint8Array {
  const { created, author, platform, runtime, diffId, createdBy, comment } = parts;
  const { os, architecture, variant, osVersion, osFeatures } = platform;
  const config = {
    created,
    ...(author === undefined ? {} : { author }),
    architecture,
    ...(variant === undefined ? {} : { variant }),
    os,
    ...(osVersion === undefined ? {} : { "os.version": osVersion }),
    ...(osFeatures === undefined ? {} : { "os.features": osFeatures }),
    config: encodeRuntime(runtime),
    rootfs: { type: "layers", diff_ids: [diffId] },
    history: [{ created, created_by: createdBy, ...(comment === undefined ? {} : { comment }) }],
  };
  return new TextEncoder().encode(JSON.stringify(config));
}

function encodeRuntime(runtime: RuntimeSettings): object {
  const { user, exposedPorts, env, entrypoint, cmd, volumes, workingDir, labels } = runtime;
  return {
    ...(user === undefined ? {} : { User: user }),
    ...(exposedPorts?.length ? { ExposedPorts: emptyObjects(exposedPorts) } : {}),
    ...(env?.length ? { Env: env } : {}),
    ...(entrypoint?.length ? { Entrypoint: entrypoint } : {}),
    ...(cmd?.length ? { Cmd: cmd } : {}),
    ...(volumes?.length ? { Volumes: emptyObjects(volumes) } : {}),
    ...(workingDir === undefined ? {} : { WorkingDir: workingDir }),
    ...(labels === undefined || Object.keys(labels).length === 0 ? {} : { Labels: sortedByKey(labels) }),
  };
}

/** A set in the JSON of Go: an object with empty objects. */
function emptyObjects(keys: readonly string[]): object {
  return sortedByKey(Object.fromEntries(keys.map(key => [key, {}])));
}

function sortedByKey(map: Readonly<Record<string, unknown>>): object {
  const result: Record<string, unknown> = Object.create(null);
  for (const key of Object.keys(map).sort()) result[key] = map[key];
  return result;
}
