const MAX_DEPTH = 2;

/** A result in short: numbers, texts and flags as they are, lists as the number of their elements. */
export function resultSummary(result: unknown, depth = 1): unknown {
  if (Array.isArray(result)) return result.length;
  if (result instanceof Map || result instanceof Set) return result.size;
  if (typeof result !== "object" || result === null) return result;
  if (depth > MAX_DEPTH) return undefined;
  return Object.fromEntries(Object.entries(result).map(([name, value]) => [name, resultSummary(value, depth + 1)]));
}
