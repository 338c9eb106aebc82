import type { Need } from "../../bundle/need/need.ts";
import { isNeed, parseNeed } from "../../bundle/need/parse-need.ts";
import { UsageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import { startOf } from "../../util/input-file.ts";
import type { Kind } from "../../util/options/checked-options.ts";
import { kindOf } from "../../util/options/option-kinds.ts";
import { type ListInputOptions, readListInput } from "../requested/list-input.ts";

/** The path or the bytes of a need list. */
export type NeedInput = string | Uint8Array;

const START_BYTES = 256;

export const NEED_INPUT: Kind<NeedInput> = kindOf("the path or the bytes of a need list", value =>
  (typeof value === "string" && value !== "") || value instanceof Uint8Array ? value : undefined,
);

export async function beginsAsNeed(path: string): Promise<boolean> {
  const start = path === "-" ? undefined : await startOf(path, START_BYTES).catch(() => undefined);
  return start instanceof Uint8Array && isNeed(start);
}

/** @throws UsageError for what is no need list, is of a newer version, or needs nothing. */
export async function readNeed(input: NeedInput, options: ListInputOptions): Promise<Need> {
  const where = typeof input === "string" ? quote(input) : "the given bytes";
  const bytes = typeof input === "string" ? await readListInput(input, options) : input;
  if (bytes === "archive" || !isNeed(bytes)) {
    throw new UsageError(`Cannot read need list from ${where}: found none, expected one`, {
      hint: '"imgpack verify" and "imgpack push" write one with --need FILE.',
    });
  }
  const fail = (_reason: string, message: string, hint?: string): Error => new UsageError(message, { hint });
  const need = parseNeed(bytes, { where, fail });
  if (need.blobs.length > 0) return need;
  throw new UsageError(`Cannot pull need list ${where}: it needs nothing, expected at least one blob`);
}
