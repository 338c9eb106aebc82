/** `list.push(...more)` puts each element on the stack, which a long list from outside overflows. */
export function append<T>(list: T[], more: Iterable<T>): void {
  for (const element of more) list.push(element);
}

/** Adds a value to the list of a key. A new list for each value would take quadratic time. */
export function appendTo<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

/** `Map.groupBy`, which Node 20 lacks. */
export function groupedBy<K, V>(values: Iterable<V>, keyOf: (value: V) => K): Map<K, V[]> {
  const groups = new Map<K, V[]>();
  for (const value of values) appendTo(groups, keyOf(value), value);
  return groups;
}

/** The largest of the values, and at least `least`. */
export function largest(values: Iterable<number>, least = 0): number {
  let found = least;
  for (const value of values) if (value > found) found = value;
  return found;
}
