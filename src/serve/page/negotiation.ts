const MAX_HEADER = 4096;

/** Whether a person asks: Accept names text/html, and does not prefer JSON. Programs send `*` alone, or nothing. */
export function wantsHtml(accept: string | undefined): boolean {
  const weights = weightsOf(accept);
  const html = weights.get("text/html") ?? 0;
  return html > 0 && html >= (weights.get("application/json") ?? 0);
}

export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  const weights = weightsOf(acceptEncoding);
  return (weights.get("gzip") ?? weights.get("*") ?? 0) > 0;
}

/** Whether If-None-Match names the tag (RFC 9110 section 13.1.2: weak comparison). */
export function namesTag(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.split(",").some(each => each.trim().replace(/^W\//, "") === tag);
}

/** What a header lists, in lower case, with its weight (RFC 9110 section 12.4.2); 0 for a weight that is none. */
function weightsOf(header: string | undefined): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const item of (header ?? "").slice(0, MAX_HEADER).split(",")) {
    const [name = "", ...parameters] = item
      .toLowerCase()
      .split(";")
      .map(part => part.trim());
    const weight = parameters.find(parameter => parameter.startsWith("q="))?.slice(2);
    weights.set(
      name,
      weight === undefined ? 1 : /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(weight) ? Number(weight) : 0,
    );
  }
  return weights;
}
