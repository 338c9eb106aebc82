import { UsageError } from "../../errors.ts";
import { isArchivePath } from "../options/archive-path.ts";
import type { MappingOptions } from "../options/mapping-options.ts";
import { type Prefix, parsePrefix } from "../options/prefix.ts";

/** A path, or a registry. */
export type NamedBase = string | Prefix;

/**
 * What bases are, by their names alone: paths of archives, folders and locks, or registries.
 *
 * @throws UsageError for a base that is neither, and for a mapping without a registry.
 */
export async function namedBases(
  verb: "compare with" | "leave out what is in",
  bases: readonly string[],
  mapping: MappingOptions,
): Promise<readonly NamedBase[]> {
  const found: NamedBase[] = [];
  for (const base of bases) found.push((await isBundlePath(base)) ? base : parsePrefix(verb, base));
  checkMapping(
    mapping,
    found.some(base => typeof base !== "string"),
  );
  return found;
}

export function registriesOf(bases: readonly NamedBase[]): readonly string[] {
  return bases.flatMap(base => (typeof base === "string" ? [] : [base.registry]));
}

/** A name without a host, or one that ends as locks do, is the path of a file even if there is none. */
export async function isBundlePath(base: string): Promise<boolean> {
  const [host = ""] = base.split("/", 1);
  const isHost = host === "localhost" || /[.:]/.test(host);
  return !isHost || /\.(lock|json)$/i.test(base) || (await isArchivePath(base));
}

function checkMapping({ layout, map }: MappingOptions, hasRegistry: boolean): void {
  if (hasRegistry || (layout === undefined && map === undefined)) return;
  const option = layout === undefined ? "map" : "layout";
  throw new UsageError(`Cannot use ${option}: no base is a registry, expected one`, {
    hint: "Archives and locks have the names of the images themselves.",
  });
}
