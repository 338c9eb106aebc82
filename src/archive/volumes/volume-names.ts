import { basename } from "node:path";

const MIN_DIGITS = 2;
/** Endings of what a run writes until a volume is complete. */
const UNFINISHED = /(?:\.partial|\.partial\.journal|\.partial\.lock)?$/;

/** Paths of the files of a set: `site.tar` becomes `site.v01.tar`, `site.v02.tar`, … and `site.sha256`. */
export class VolumeNames {
  readonly #stem: string;

  /** @param output as the user typed it. */
  constructor(output: string) {
    this.#stem = output.replace(/\.tar$/i, "");
  }

  /** @param of the number of volumes; all have as many digits as the last. */
  volume(number: number, of: number): string {
    return `${this.#stem}.v${digitsOf(number, of)}.tar`;
  }

  /** Sums of all volumes, or of one that is written alone. */
  sums(alone?: { readonly number: number; readonly of: number }): string {
    return `${this.#stem}${alone === undefined ? "" : `.v${digitsOf(alone.number, alone.of)}`}.sha256`;
  }

  /** The number that the name of a file in the same folder has, also of an unfinished one. */
  numberIn(name: string): number | undefined {
    const start = `${basename(this.#stem)}.v`;
    const [, digits] = /^(\d{2,4})\.tar$/.exec(name.replace(UNFINISHED, "").slice(start.length)) ?? [];
    return name.startsWith(start) && digits !== undefined ? Number(digits) : undefined;
  }

  /** Whether a run may write a file of this name, in the same folder: volumes, sums and signatures, also unfinished ones. */
  has(name: string): boolean {
    if (this.numberIn(name) !== undefined) return true;
    const stem = basename(this.#stem);
    return name.startsWith(stem) && /^(?:\.v\d{2,4})?\.sha256(?:\.sig)?$/.test(name.slice(stem.length));
  }
}

/** Where the signature of sums is. */
export function sumsSignature(sumsPath: string): string {
  return `${sumsPath}.sig`;
}

function digitsOf(number: number, of: number): string {
  return String(number).padStart(Math.max(MIN_DIGITS, String(of).length), "0");
}

/** A line that `sha256sum -c` reads. @param hex of the sha256. */
export function sumLine(hex: string, path: string): string {
  const name = basename(path);
  const escaped = name.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\r", "\\r");
  return `${escaped === name ? "" : "\\"}${hex}  ${escaped}\n`;
}

/** Whether a file may have been written as the sums of volumes. */
export function isSums(text: string): boolean {
  return text.split("\n").every(line => line === "" || /^\\?[0-9a-f]{64} {2}.+\.v\d{2,4}\.tar$/.test(line));
}
