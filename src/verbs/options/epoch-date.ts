import { UsageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";

/** End of the year 9999, in seconds since 1970: RFC 3339 has four digits. */
export const LAST_SECOND = 253_402_300_799;

/**
 * The date of the variable SOURCE_DATE_EPOCH (reproducible-builds.org); undefined if it is unset or empty.
 *
 * @param epoch whole seconds since 1970.
 * @throws UsageError for any other text.
 */
export function epochDate(epoch: string | undefined): Date | undefined {
  // An empty variable counts as unset.
  if (epoch === undefined || epoch === "") return undefined;
  const seconds = /^\d{1,12}$/.test(epoch) ? Number(epoch) : Number.NaN;
  if (seconds <= LAST_SECOND) return new Date(seconds * 1000);
  throw new UsageError(`Cannot use SOURCE_DATE_EPOCH ${quote(epoch)}: no time, expected whole seconds since 1970`);
}
