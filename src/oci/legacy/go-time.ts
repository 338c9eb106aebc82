import { ArchiveError } from "../../errors.ts";
import { quote } from "../../util/format.ts";

/** As Go 1.19 parses RFC 3339: the hour may have one digit, and the fraction any number of them, after a comma too. */
const TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d{1,2}):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;
/** Go's zero time. */
const NO_TIME = "0001-01-01T00:00:00Z";
const NANOSECOND_DIGITS = 9;

/**
 * A time as Go writes it: no zeros at the end of the fraction, and UTC as Z.
 *
 * @throws ArchiveError "legacy-created" for anything else than an RFC 3339 time.
 */
export function goTime(created: string | undefined, where: string): string {
  if (created === undefined) return NO_TIME;
  const [, year, month, day, hour, minute, second, fraction = "", sign, zoneHours, zoneMinutes] =
    TIME.exec(created) ?? [];
  const isTime =
    isWithin(month, 1, 12) &&
    isWithin(day, 1, daysOf(Number(year), Number(month))) &&
    isWithin(hour, 0, 23) &&
    isWithin(minute, 0, 59) &&
    isWithin(second, 0, 59);
  if (!isTime) {
    throw new ArchiveError(
      "legacy-created",
      `Cannot read layer JSON from ${where}: found ${quote(created)} as "created", expected an RFC 3339 time`,
    );
  }
  const digits = fraction.slice(0, NANOSECOND_DIGITS).replace(/0+$/, "");
  const clock = `${hour?.padStart(2, "0")}:${minute}:${second}${digits === "" ? "" : `.${digits}`}`;
  return `${year}-${month}-${day}T${clock}${zone(sign, Number(zoneHours ?? 0) * 60 + Number(zoneMinutes ?? 0))}`;
}

function zone(sign: string | undefined, minutes: number): string {
  if (sign === undefined || minutes === 0) return "Z";
  const [hours, rest] = [Math.trunc(minutes / 60), minutes % 60].map(part => String(part).padStart(2, "0"));
  return `${sign}${hours}:${rest}`;
}

function isWithin(text: string | undefined, min: number, max: number): boolean {
  return text !== undefined && Number(text) >= min && Number(text) <= max;
}

function daysOf(year: number, month: number): number {
  // Date.UTC takes years below 100 for those of the 20th century; leap years repeat every 400 years.
  return new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
}
