/** The items of a JSON array, one per line, without its brackets. */
export function jsonLines(values: readonly unknown[]): string {
  return values.map(value => `\n${JSON.stringify(value)}`).join(",");
}
