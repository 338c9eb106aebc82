import { ArchiveError } from "../../errors.ts";
import { parseJson } from "../../util/json/json.ts";
import { ANY, fixedFields, type JsonShape } from "../../util/json/json-shape.ts";
import { checkSchema, fields, nullish, rule, string } from "../../util/json/schema.ts";
import { MAX_CONFIG_BYTES } from "../limits.ts";
import { isLegacyId } from "./legacy-id.ts";

/** The JSON of one layer of an image before Docker 1.10. */
export interface LegacyLayer {
  /** 64 hex digits, used in `parent` and `repositories`. */
  readonly id: string;
  readonly parent?: string;
  readonly created?: string;
  readonly author?: string;
  readonly comment?: string;
  /** Build step of the layer. */
  readonly command: readonly string[];
  /** All fields, as they were read. */
  readonly document: Readonly<Record<string, unknown>>;
  /** The same as it is written: parsed numbers have lost digits. */
  readonly text: string;
}

const text = nullish(string());
type Words = string | readonly (string | null)[];
/** Docker takes a text for a list of one word, and null for an empty word. */
const words = rule(
  "json-type",
  "a list of words",
  (value): value is Words =>
    typeof value === "string" ||
    (Array.isArray(value) && value.every(word => word === null || typeof word === "string")),
);
const layerSchema = fields({
  id: string(),
  parent: text,
  created: text,
  author: text,
  comment: text,
  container_config: nullish(fields({ Cmd: nullish(words) })),
});
const CONFIG_FIELDS =
  "Hostname Domainname User AttachStdin AttachStdout AttachStderr ExposedPorts Tty OpenStdin StdinOnce Env Cmd Healthcheck " +
  "ArgsEscaped Image Volumes WorkingDir Entrypoint NetworkDisabled MacAddress OnBuild Labels StopSignal StopTimeout Shell";
const CONFIG_SHAPE = shapeOf(CONFIG_FIELDS, {});
/** What Docker reads, in any case of letters: a config may depend on each of these. */
const LAYER_SHAPE = shapeOf("id parent created author comment container docker_version architecture variant os", {
  config: CONFIG_SHAPE,
  container_config: CONFIG_SHAPE,
});

/** @throws ArchiveError "legacy-id" for a malformed id (security case M-14), or a json-… reason. */
export function parseLegacyLayer(bytes: Uint8Array, where: string): LegacyLayer {
  const what = "layer JSON";
  const value = parseJson(bytes, { what, where, maxBytes: MAX_CONFIG_BYTES, shape: LAYER_SHAPE });
  const found = checkSchema(layerSchema, value, what, where);
  for (const id of [found.id, found.parent || undefined]) {
    if (id === undefined || isLegacyId(id)) continue;
    throw new ArchiveError("legacy-id", `Cannot read ${what} from ${where}: found a bad id, expected 64 hex digits`);
  }
  return {
    id: found.id,
    ...(found.parent ? { parent: found.parent } : {}),
    ...(found.created ? { created: found.created } : {}),
    ...(found.author ? { author: found.author } : {}),
    ...(found.comment ? { comment: found.comment } : {}),
    command: wordsOf(found.container_config?.Cmd),
    document: value as Readonly<Record<string, unknown>>,
    text: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"),
  };
}

function shapeOf(names: string, others: Readonly<Record<string, JsonShape>>): JsonShape {
  return fixedFields({ ...Object.fromEntries(names.split(" ").map(name => [name, ANY])), ...others });
}

function wordsOf(value: Words | null | undefined): readonly string[] {
  return typeof value === "string" ? [value] : (value ?? []).map(word => word ?? "");
}
