import type { TarEntry } from "../../tar/tar-entry.ts";

/**
 * Reads small entries in the order of the file: a jump to and fro for each of them would read the file many times over.
 *
 * @param entryOf where an item is; undefined: `read` says what is wrong.
 * @returns in the order of `items`; each call returns what was read, or throws.
 */
export async function inFileOrder<I, T>(
  items: readonly I[],
  entryOf: (item: I) => TarEntry | undefined,
  read: (item: I) => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<readonly (() => T)[]> {
  const places = items.map((item, index) => ({ item, index, offset: entryOf(item)?.bodyOffset ?? 0 }));
  const results = items.map((): (() => T) | undefined => undefined);
  for (const { item, index } of places.sort((left, right) => left.offset - right.offset)) {
    signal?.throwIfAborted();
    results[index] = await settled(async () => await read(item));
  }
  return results.filter(result => result !== undefined);
}

async function settled<T>(read: () => Promise<T>): Promise<() => T> {
  try {
    const result = await read();
    return () => result;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
