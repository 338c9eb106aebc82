import { ArchiveError } from "../../errors.ts";
import { parseJson } from "../../util/json/json.ts";
import { ANY, fixedFields } from "../../util/json/json-shape.ts";
import { array, checkSchema, fields, nullish, string } from "../../util/json/schema.ts";
import type { Digest } from "../digest.ts";
import { MAX_CONFIG_BYTES } from "../limits.ts";

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
}

const text = nullish(string());
const layerSchema = fields({
  id: string(),
  parent: text,
  created: text,
  author: text,
  comment: text,
  container_config: nullish(fields({ Cmd: nullish(array(string())) })),
});
const LAYER_SHAPE = fixedFields({
  id: ANY,
  parent: ANY,
  created: ANY,
  author: ANY,
  comment: ANY,
  container_config: fixedFields({ Cmd: ANY }),
});
const ID = /^[0-9a-f]{64}$/;
/** Fields that link a layer to the chain; a config has other fields for that. */
const CHAIN_FIELDS = ["id", "parent", "parent_id", "layer_id", "throwaway", "Size"];

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
    command: found.container_config?.Cmd ?? [],
    document: value as Readonly<Record<string, unknown>>,
  };
}

export function isLegacyId(text: string): boolean {
  return ID.test(text);
}

/**
 * The image config that Docker makes when it loads a chain of layers: the JSON of the top layer without the fields of the
 * chain, with `rootfs` and `history`, keys sorted. For docker_version 1.8.3 and later it is equal byte for byte.
 *
 * @param chain base first.
 * @param diffIds one per layer.
 */
export function legacyConfig(chain: readonly LegacyLayer[], diffIds: readonly Digest[]): Uint8Array {
  const config = new Map<string, unknown>(Object.entries(chain.at(-1)?.document ?? {}));
  for (const field of CHAIN_FIELDS) config.delete(field);
  config.set("rootfs", { type: "layers", diff_ids: diffIds });
  config.set(
    "history",
    chain.map(({ created, author, command, comment }) => ({
      ...(created === undefined ? {} : { created }),
      ...(author === undefined ? {} : { author }),
      ...(command.length === 0 ? {} : { created_by: command.join(" ") }),
      ...(comment === undefined ? {} : { comment }),
    })),
  );
  const members = [...config].sort(([left], [right]) => (left < right ? -1 : 1));
  const json = members.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",");
  return new TextEncoder().encode(escapeHtml(`{${json}}`));
}

/** Escapes the five characters that Go's encoder escapes. */
export function escapeHtml(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
