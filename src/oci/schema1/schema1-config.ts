import type { Digest } from "../digest.ts";
import { legacyConfig } from "../legacy/legacy-config.ts";
import type { Schema1View } from "./schema1.ts";

/**
 * The image config of a schema 1 manifest, as Docker makes it.
 *
 * @param diffIds of the layers, base first; throwaway steps have none.
 */
export function schema1Config({ steps }: Schema1View, diffIds: readonly Digest[], where: string): Uint8Array {
  const empty = new Set(steps.flatMap(({ json, layer }) => (layer === undefined ? [json] : [])));
  return legacyConfig(
    steps.map(({ json }) => json),
    diffIds,
    { where, isEmpty: step => empty.has(step) },
  );
}
