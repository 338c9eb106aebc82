import type { Digest } from "../../../oci/digest.ts";

/** Values of a query; undefined, false and "" are left out. */
export type QueryValues = Readonly<Record<string, string | number | undefined>>;

/** `path?name=value…` of this server. */
export function href(path: string, values: QueryValues = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== "") query.set(name, String(value));
  }
  return query.size === 0 ? path : `${path}?${query}`;
}

/** @param name the full name with its tag or digest */
export function imageHref(name: string, values: QueryValues = {}): string {
  return href(`/image/${encodedPath(name)}`, values);
}

export function layerHref(digest: Digest, values: QueryValues = {}): string {
  return href(`/layer/${digest}`, values);
}

/** The path of names keeps `/`, `:` and `@`, so that people can read and write it. */
function encodedPath(name: string): string {
  return encodeURIComponent(name).replaceAll("%2F", "/").replaceAll("%3A", ":").replaceAll("%40", "@");
}
