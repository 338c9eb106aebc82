import { rawMembers } from "../../util/json/raw-members.ts";
import type { Digest } from "../digest.ts";
import { compareKeys, escapeAsGo, goJson } from "./go-json.ts";
import { goTime } from "./go-time.ts";
import type { LegacyLayer } from "./legacy-layer.ts";
import { isBefore183, reencodeOldImage } from "./old-image.ts";

/** Fields that link a layer to the chain; a config has `history` and `rootfs` for that. */
const CHAIN_FIELDS = ["id", "parent", "parent_id", "layer_id", "throwaway", "Size"];

export interface LegacyConfigOptions {
  /** As messages name the image. */
  readonly where: string;
  /** Whether a step has no layer ("throwaway" in schema 1). Default: every step has one. */
  readonly isEmpty?: (step: LegacyLayer) => boolean;
}

/**
 * The image config that Docker makes of a chain of layers, byte for byte, so that the image gets Docker's ID: the fields of the
 * top layer as they are written, sorted, without those of the chain, with `rootfs` and `history` (docker 20.10,
 * v1.MakeConfigFromV1Config). Schema 1 manifests, archives of Docker 1.9 and older, and v1 registries have such chains.
 *
 * @param chain base first.
 * @param diffIds base first; empty steps have none.
 * @throws ArchiveError "legacy-created" for a layer whose `created` is no time.
 */
export function legacyConfig(
  chain: readonly LegacyLayer[],
  diffIds: readonly Digest[],
  { where, isEmpty = () => false }: LegacyConfigOptions,
): Uint8Array {
  const top = chain.at(-1);
  const history = chain.map(step => historyEntry(step, isEmpty(step), where));
  const members = new Map(top === undefined ? [] : rawMembers(escapeAsGo(textOf(top, where))));
  for (const field of CHAIN_FIELDS) members.delete(field);
  members.set("rootfs", goJson({ type: "layers", ...(diffIds.length === 0 ? {} : { diff_ids: diffIds }) }));
  members.set("history", goJson(history));
  const sorted = [...members].sort(([left], [right]) => compareKeys(left, right));
  return new TextEncoder().encode(`{${sorted.map(([key, value]) => `${goJson(key)}:${value}`).join(",")}}`);
}

function textOf(top: LegacyLayer, where: string): string {
  return isBefore183(top.document) ? reencodeOldImage(top, goTime(top.created, where)) : top.text;
}

function historyEntry({ created, author, command, comment }: LegacyLayer, isEmpty: boolean, where: string): object {
  const createdBy = command.join(" ");
  return {
    created: goTime(created, where),
    ...(author === undefined ? {} : { author }),
    ...(createdBy === "" ? {} : { created_by: createdBy }),
    ...(comment === undefined ? {} : { comment }),
    ...(isEmpty ? { empty_layer: true } : {}),
  };
}
