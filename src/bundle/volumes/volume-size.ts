import { UsageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";

/**
 * What fits on a medium, in bytes. FAT32 stores sizes of files in 32 bits. Discs lose some space to their file system, and
 * rewritable Blu-ray discs to their spare area: less than their capacity is used.
 */
const MEDIA: ReadonlyMap<string, number> = new Map([
  ["fat32", 2 ** 32 - 1],
  ["dvd", 4_680_000_000],
  ["bd25", 24_200_000_000],
  ["bd50", 48_400_000_000],
]);

const UNITS: readonly string[] = ["", "k", "m", "g", "t"];

/** For messages and helps. */
export const VOLUME_SIZES = "fat32, dvd, bd25, bd50, or a size such as 700M or 4GiB";

/**
 * Bytes of a volume: the name of a medium, or a number with a unit. As media are sold, k, M, G and T are powers of 1000;
 * KiB, MiB, GiB and TiB are powers of 1024.
 *
 * @throws UsageError
 */
export function parseVolumeSize(size: string | number): number {
  const text = String(size).trim().toLowerCase();
  const medium = MEDIA.get(text);
  if (medium !== undefined) return medium;
  const [, digits, unit, binary] = /^(\d+(?:\.\d+)?)\s*(?:([kmgt])(i?)b?|b)?$/.exec(text) ?? [];
  const bytes = Math.floor(Number(digits) * (binary === "i" ? 1024 : 1000) ** UNITS.indexOf(unit ?? ""));
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  const found = digits === undefined ? "no size" : bytes === 0 ? "less than a byte" : "more bytes than can be counted";
  throw new UsageError(`Cannot use --volume-size ${quote(String(size))}: found ${found}, expected ${VOLUME_SIZES}`, {
    hint: "For example: --volume-size 4GiB.",
  });
}
