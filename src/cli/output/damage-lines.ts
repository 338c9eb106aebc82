import type { VerifyResult } from "../../index.ts";
import { escapeForeign, shortId } from "../../util/format.ts";
import { faultText } from "./fault-text.ts";

/** What verify found to be wrong, a line each; then which images are whole, if some are not. */
export function damageLines({ faults, missing = [], harmed = [], unharmed = [] }: VerifyResult): readonly string[] {
  const lines = [
    ...faults.map(faultText),
    ...missing.map(
      ({ bundle, volumes, of }) => `missing: volume ${volumes.join(", ")} of ${of} of bundle ${shortId(bundle)}`,
    ),
  ];
  if (lines.length === 0) return [];
  return [
    ...lines,
    ...harmed.map(name => `harmed: ${escapeForeign(name)}`),
    ...unharmed.map(name => `unharmed: ${escapeForeign(name)}`),
  ];
}
