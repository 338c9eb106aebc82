import type { MissingVolumes, VerifyResult } from "../../../index.ts";
import { escapeForeign, shortId } from "../../../util/format.ts";
import { faultText } from "../fault-text.ts";

/** What verify found to be wrong, a line each; then which images are whole, if some are not. */
export function damageLines({ faults, missing = [], harmed = [], unharmed = [] }: VerifyResult): readonly string[] {
  const lines = [...faults.map(faultText), ...missing.map(missing => `missing: ${missingVolumes(missing)}`)];
  if (lines.length === 0) return [];
  return [
    ...lines,
    ...harmed.map(name => `harmed: ${escapeForeign(name)}`),
    ...unharmed.map(name => `unharmed: ${escapeForeign(name)}`),
  ];
}

/** `volumes 2, 5 and 6 of 6 of bundle 1a2b3c4d5e6f` */
export function missingVolumes({ bundle, of, volumes }: MissingVolumes): string {
  const last = volumes.at(-1) ?? 0;
  const list = volumes.length < 2 ? `volume ${last}` : `volumes ${volumes.slice(0, -1).join(", ")} and ${last}`;
  return `${list} of ${of} of bundle ${shortId(bundle)}`;
}
