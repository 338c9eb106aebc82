import { ArchiveError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import type { Digest } from "../digest.ts";
import type { LegacyLayer } from "../legacy/legacy-config.ts";
import type { Schema1Step, Schema1View } from "./schema1.ts";
import { compareKeys, goJson, rawMembers } from "./schema1-json.ts";
import { isBefore183, reencodeOldImage } from "./schema1-old.ts";

/** Fields that link a step to the chain; a config has `history` and `rootfs` for that. */
const CHAIN_FIELDS: ReadonlySet<string> = new Set(["id", "parent", "parent_id", "layer_id", "throwaway", "Size"]);

/**
 * The image config of a schema 1 manifest: the fields of the newest step as they are written, sorted, with `history` and
 * `rootfs`. It equals the config of skopeo and podman byte for byte, so the image gets the same ID.
 *
 * @param diffIds of the layers, base first; throwaway steps have none.
 */
export function schema1Config({ steps, newest }: Schema1View, diffIds: readonly Digest[], where: string): Uint8Array {
  const top = steps.at(-1)?.json;
  const isOld = top !== undefined && isBefore183(top.document);
  const members = new Map(rawMembers(isOld ? reencodeOldImage(top, goTime(top, where)) : newest));
  for (const field of CHAIN_FIELDS) members.delete(field);
  members.set("rootfs", goJson({ type: "layers", ...(diffIds.length === 0 ? {} : { diff_ids: diffIds }) }));
  members.set("history", goJson(steps.map(step => historyEntry(step, where))));
  const sorted = [...members].sort(([left], [right]) => compareKeys(left, right));
  return new TextEncoder().encode(`{${sorted.map(([key, value]) => `${goJson(key)}:${value}`).join(",")}}`);
}

function historyEntry({ json, layer }: Schema1Step, where: string): object {
  const { author, command, comment } = json;
  const createdBy = command.join(" ");
  return {
    created: goTime(json, where),
    ...(author === undefined ? {} : { author }),
    ...(createdBy === "" ? {} : { created_by: createdBy }),
    ...(comment === undefined ? {} : { comment }),
    ...(layer === undefined ? { empty_layer: true } : {}),
  };
}

const RFC3339 =
  /^(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;
/** Go's zero time. */
const NO_TIME = "0001-01-01T00:00:00Z";

/** The time in the format of Go: no trailing zeros in the fraction, and UTC as Z. */
function goTime({ created }: LegacyLayer, where: string): string {
  if (created === undefined) return NO_TIME;
  const [, seconds, fraction = "", zone] = RFC3339.exec(created) ?? [];
  if (seconds === undefined || zone === undefined) {
    throw new ArchiveError(
      "schema1-created",
      `Cannot read schema 1 manifest from ${where}: found ${quote(created)} as "created", expected an RFC 3339 time`,
    );
  }
  const digits = fraction.replace(/0+$/, "");
  return `${seconds}${digits === "" ? "" : `.${digits}`}${/^[+-]00:00$/.test(zone) ? "Z" : zone}`;
}
