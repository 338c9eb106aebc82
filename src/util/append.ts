/** `list.push(...more)` puts each element on the stack, which a long list from outside overflows. */
export function append<T>(list: T[], more: Iterable<T>): void {
  for (const element of more) list.push(element);
}

/** The largest of the values, and at least `least`. */
export function largest(values: Iterable<number>, least = 0): number {
  let found = least;
  for (const value of values) if (value > found) found = value;
  return found;
}
