import type { LayerFactsCache } from "../../../copy/layer-facts.ts";

/**
 * The facts that count in this run. A reading that ignored checksums counts only in runs that do so, too.
 *
 * @param noChecksums whether layers are taken whatever their checksums say.
 */
export function factsByCheck(cache: LayerFactsCache, noChecksums: boolean): LayerFactsCache {
  if (!noChecksums) return cache;
  const unchecked = (key: string): string => `${key} unchecked`;
  return {
    find: key => cache.find(unchecked(key)) ?? cache.find(key),
    add: async (key, facts) => await cache.add(unchecked(key), facts),
    async forget(key) {
      await cache.forget(unchecked(key));
      await cache.forget(key);
    },
  };
}
