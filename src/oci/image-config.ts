import { parseJson } from "../util/json/json.ts";
import { ANY, fixedFields, type JsonShape, listOf, mapOf } from "../util/json/json-shape.ts";
import {
  array,
  boolean,
  checkSchema,
  fields,
  freeMap,
  nullish,
  type Schema,
  string,
  transformed,
  union,
  unknown,
} from "../util/json/schema.ts";
import { annotationsSchema, digestSchema } from "./descriptor-schema.ts";
import type { Digest } from "./digest.ts";
import { MAX_CONFIG_BYTES } from "./limits.ts";

/** A build step, as the image config has it. Texts are foreign. */
export interface HistoryEntry {
  /** RFC 3339, as written. */
  readonly created?: string;
  /** Build instruction. */
  readonly createdBy?: string;
  readonly comment?: string;
  /** True if the step made no layer. */
  readonly emptyLayer: boolean;
}

/** How a container of an image starts. Texts are foreign. */
export interface RuntimeConfig {
  /** `user[:group]`, names or numbers. */
  readonly user?: string;
  readonly workingDir?: string;
  /** `NAME=VALUE` */
  readonly env: readonly string[];
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** `port/protocol` */
  readonly exposedPorts: readonly string[];
  /** Paths in the container. */
  readonly volumes: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** The part of an image config that is used (image-spec config.md); the rest is in the bytes only. */
export interface ImageConfig {
  /** Empty if the config has none. */
  readonly os: string;
  /** Empty if the config has none. */
  readonly architecture: string;
  readonly variant?: string;
  readonly osVersion?: string;
  readonly osFeatures?: readonly string[];
  /** RFC 3339, as it is written. */
  readonly created?: string;
  readonly author?: string;
  /** Base first, one per layer; the same diff_id can occur several times. */
  readonly diffIds: readonly Digest[];
  readonly history: readonly HistoryEntry[];
  readonly runtime: RuntimeConfig;
}

const CONFIG_SHAPE: JsonShape = fixedFields({
  os: ANY,
  architecture: ANY,
  variant: ANY,
  "os.version": ANY,
  "os.features": ANY,
  created: ANY,
  author: ANY,
  rootfs: fixedFields({ type: ANY, diff_ids: ANY }),
  history: listOf(fixedFields({ created: ANY, created_by: ANY, author: ANY, comment: ANY, empty_layer: ANY })),
  config: fixedFields({
    User: ANY,
    WorkingDir: ANY,
    Env: ANY,
    Entrypoint: ANY,
    Cmd: ANY,
    ExposedPorts: mapOf(ANY),
    Volumes: mapOf(ANY),
    Labels: mapOf(ANY),
  }),
});

const text = nullish(string());
const texts = nullish(array(string()));
/** A command that is a string, from early Docker versions, counts as a list of one. */
const command = nullish(union([array(string()), transformed(string(), (word): readonly string[] => [word])]));
const keys: Schema<readonly string[]> = transformed(freeMap(unknown()), (map): readonly string[] => [...map.keys()]);

const configSchema = fields({
  os: text,
  architecture: text,
  variant: text,
  "os.version": text,
  "os.features": texts,
  created: text,
  author: text,
  rootfs: fields({ diff_ids: nullish(array(digestSchema)) }),
  history: nullish(array(fields({ created: text, created_by: text, comment: text, empty_layer: nullish(boolean()) }))),
  config: nullish(
    fields({
      User: text,
      WorkingDir: text,
      Env: texts,
      Entrypoint: command,
      Cmd: command,
      ExposedPorts: nullish(keys),
      Volumes: nullish(keys),
      Labels: nullish(annotationsSchema),
    }),
  ),
});

/**
 * Reads an image config, at most 8 MiB. Call `isImageConfigType` first: the config of an artifact is another document.
 *
 * @throws ArchiveError "bad-digest" for a malformed diff_id, or a json-… reason.
 */
export function parseImageConfig(bytes: Uint8Array, where: string): ImageConfig {
  const found = checkedConfig(bytes, where);
  const run = found.config;
  return {
    os: found.os ?? "",
    architecture: found.architecture ?? "",
    ...named("variant", found.variant),
    ...named("osVersion", found["os.version"]),
    ...(found["os.features"] ? { osFeatures: found["os.features"] } : {}),
    ...named("created", found.created),
    ...named("author", found.author),
    diffIds: found.rootfs.diff_ids ?? [],
    history: (found.history ?? []).map(step => ({
      ...named("created", step.created),
      ...named("createdBy", step.created_by),
      ...named("comment", step.comment),
      emptyLayer: step.empty_layer ?? false,
    })),
    runtime: {
      ...named("user", run?.User),
      ...named("workingDir", run?.WorkingDir),
      env: run?.Env ?? [],
      entrypoint: run?.Entrypoint ?? [],
      cmd: run?.Cmd ?? [],
      exposedPorts: run?.ExposedPorts ?? [],
      volumes: run?.Volumes ?? [],
      labels: run?.Labels ?? Object.create(null),
    },
  };
}

/**
 * The diff_ids of an image config, base first, with all checks of `parseImageConfig`: an archive has a config for each image.
 *
 * @throws ArchiveError as `parseImageConfig`.
 */
export function parseDiffIds(bytes: Uint8Array, where: string): readonly Digest[] {
  return checkedConfig(bytes, where).rootfs.diff_ids ?? [];
}

function checkedConfig(bytes: Uint8Array, where: string): typeof configSchema extends Schema<infer T> ? T : never {
  const what = "image config";
  const value = parseJson(bytes, { what, where, maxBytes: MAX_CONFIG_BYTES, shape: CONFIG_SHAPE });
  return checkSchema(configSchema, value, what, where);
}

/** No property for an absent or empty string: Go writes both alike. */
function named<K extends string>(key: K, value: string | null | undefined): { readonly [P in K]?: string } {
  return value ? ({ [key]: value } as { readonly [P in K]?: string }) : {};
}
