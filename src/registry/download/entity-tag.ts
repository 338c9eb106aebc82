/** What a server called the bytes that have come so far. */
export interface Validator {
  etag?: string;
  /** A range was refused with 416: the rest comes by way of the whole. */
  refusesRanges?: boolean;
}

/** Keeps a strong entity tag; a weak one promises nothing about bytes (RFC 9110, section 13.1.5). */
export function noteValidator(known: Validator, etag: string | undefined): void {
  if (etag !== undefined && /^"[\x21\x23-\x7e]{0,256}"$/.test(etag)) known.etag ??= etag;
}

/** Makes a server whose bytes are others by now send them from the beginning. */
export function ifUnchanged({ etag }: Validator): Readonly<Record<string, string>> {
  return etag === undefined ? {} : { "if-range": etag };
}
