import { VERSION } from "../../util/version.ts";

export const USER_AGENT: string = `imgpack/${VERSION}`;

/** Answer headers with lower-case names; a repeated header may be a list. */
export type HeaderMap = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Every value of a header, in order; empty when it is absent. `name` in lower case. */
export function headerList(headers: HeaderMap, name: string): readonly string[] {
  if (!Object.hasOwn(headers, name)) return [];
  const value = headers[name];
  if (value === undefined) return [];
  return typeof value === "string" ? [value] : value;
}

/** The value of a header that is allowed once; undefined when it is absent or has different values. */
export function headerText(headers: HeaderMap, name: string): string | undefined {
  const [first, ...others] = headerList(headers, name);
  return others.every(other => other === first) ? first : undefined;
}
