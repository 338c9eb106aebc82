/** RFC 6901. */
export function jsonPointer(path: readonly (string | number)[]): string {
  return path.map(step => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
