import type { Digest } from "../../oci/digest.ts";

/** The digests of files in one folder by name, as `sha256sum` prints them and `sha256sum --check` reads them. */
export type ChecksumList = ReadonlyMap<string, Digest>;

const LINE = /^([0-9a-f]{64}) [ *](.+)$/;

/** @returns undefined for a text with any other line; coreutils begins lines with unusual names with a backslash. */
export function parseChecksums(text: string): ChecksumList | undefined {
  const sums = new Map<string, Digest>();
  for (const line of text.split(/\r?\n/)) {
    if (line === "") continue;
    const [, hex, name] = LINE.exec(line) ?? [];
    if (hex === undefined || name === undefined) return undefined;
    sums.set(name, `sha256:${hex}`);
  }
  return sums;
}

export function formatChecksums(sums: ChecksumList): string {
  const lines = [...sums].map(([name, digest]) => `${digest.slice("sha256:".length)}  ${name}\n`);
  return lines.sort((left, right) => (left.slice(64) < right.slice(64) ? -1 : 1)).join("");
}
