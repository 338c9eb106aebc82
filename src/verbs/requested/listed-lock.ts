import type { ListedReference } from "../../bundle/list/listed-reference.ts";
import { parseLock } from "../../bundle/lock/parse-lock.ts";
import { UsageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";

/**
 * The images of a lock, with their digests. An image without a name is named by where it comes from.
 *
 * @throws UsageError for a lock that was edited, or is of a newer version.
 */
export function listedInLock(bytes: Uint8Array, file: string): readonly ListedReference[] {
  const fail = (_reason: string, message: string, hint?: string): Error => new UsageError(message, { hint });
  const { images } = parseLock(bytes, { where: quote(file), fail });
  const lines = linesOfNames(bytes);
  return images.flatMap(({ name, digest, written, from }): readonly ListedReference[] => {
    const other = written === undefined ? {} : { written };
    const place = { class: "certain", file, line: lines.get(name) ?? 1, ...other } as const;
    if (from === undefined) return name === "" ? [] : [{ ...place, reference: name, digest }];
    return [{ ...place, reference: `${from}@${digest}`, ...(name === "" ? {} : { name: withoutDigest(name) }) }];
  });
}

/** A new name has no digest of its own unless it has no tag either. */
function withoutDigest(name: string): string {
  return name.replace(/(:[^:/@]+)@.*$/, "$1");
}

/** A lock has one image per line, unless someone has reformatted it. */
function linesOfNames(bytes: Uint8Array): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  for (const [index, line] of Buffer.from(bytes).toString("utf8").split("\n").entries()) {
    const name = /"name"\s*:\s*"([^"\\]*)"/.exec(line)?.[1];
    if (name !== undefined && !lines.has(name)) lines.set(name, index + 1);
  }
  return lines;
}
