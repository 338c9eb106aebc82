/** Inflates a whole deflate stream by the letter of RFC 1951, and throws at what a lenient decoder would pass over. */
export function strictInflate(data: Uint8Array, size: number): Buffer;
