import { UsageError } from "../../errors.ts";
import {
  type ImageMapping,
  type NameMap,
  parseNameMap,
  TARGET_LAYOUTS,
  type TargetLayout,
} from "../../oci/names/image-mapping.ts";
import type { OptionsShape } from "../../util/options/checked-options.ts";
import { choice, TEXTS } from "../../util/options/option-kinds.ts";
import { listOf } from "./option-values.ts";

/** Options that decide which repository an image gets at a target. */
export interface MappingOptions {
  /**
   * "path": the repository's path; "full": the registry, and then the path; "flat": the path as one part, with "-" in place
   * of "/". Default "path".
   */
  readonly layout?: TargetLayout | undefined;
  /**
   * `OLD=NEW`: images whose name begins with OLD, in whole parts, go to the path NEW and the rest of their path. The longest
   * OLD wins. Default: none.
   */
  readonly map?: string | readonly string[] | undefined;
}

export const MAPPING: OptionsShape<MappingOptions> = { layout: choice(TARGET_LAYOUTS), map: TEXTS };

/** @throws UsageError for a map that cannot be read, or for two of one OLD. */
export function readMapping({ layout, map }: MappingOptions): Pick<ImageMapping, "layout" | "maps"> {
  const maps = listOf(map).map(parseNameMap);
  const seen = new Map<string, NameMap>();
  for (const one of maps) {
    const known = seen.get(one.from);
    if (known !== undefined && known.to !== one.to) {
      throw new UsageError(
        `Cannot map ${one.from} to ${one.to}: it is mapped to ${known.to} as well, expected one path`,
      );
    }
    seen.set(one.from, one);
  }
  return { layout, maps };
}
