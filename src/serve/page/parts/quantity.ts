import { formatBytes } from "../../../util/format.ts";

/** Does not let a line break into a number and its unit. */
const HARD_SPACE = "\u00a0";
const NARROW_SPACE = "\u202f";

/** `1234567` → `1 234 567`, with narrow spaces. */
export function numeral(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, NARROW_SPACE);
}

/** `formatBytes`, on one line. */
export function bytes(size: number): string {
  const [value = "", unit = ""] = formatBytes(size).split(" ");
  return `${/^\d+$/.test(value) ? numeral(Number(value)) : value}${HARD_SPACE}${unit}`;
}

/** `1 image`, `1 000 images` */
export function many(count: number, what: string, several = `${what}s`): string {
  return `${numeral(count)} ${count === 1 ? what : several}`;
}
