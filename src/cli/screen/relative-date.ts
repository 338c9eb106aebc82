/** Images before Docker have no time of their own: tools set a fixed one, so that equal builds have equal digests. */
const DOCKER_MS = Date.UTC(2013, 2);

/** Seconds of a unit, and up to how many of it are counted. */
const UNITS = [
  ["second", 1, 120],
  ["minute", 60, 120],
  ["hour", 3600, 48],
  ["day", 86_400, 14],
  ["week", 604_800, 9],
  ["month", 2_629_746, 24],
  ["year", 31_556_952, Number.POSITIVE_INFINITY],
] as const;

/** `3 weeks ago`; the day of a date before 2013 or after now; what is no date as it is. */
export function relativeDate(text: string, nowMs: number): string {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) return text;
  const seconds = Math.floor((nowMs - ms) / 1000);
  if (ms < DOCKER_MS || seconds < 0) return new Date(ms).toISOString().slice(0, 10);
  for (const [unit, size, limit] of UNITS) {
    const count = Math.floor(seconds / size);
    if (count < limit) return `${count} ${unit}${count === 1 ? "" : "s"} ago`;
  }
  return text;
}
