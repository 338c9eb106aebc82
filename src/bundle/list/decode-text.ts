/** The text of a file that an editor wrote: UTF-8 or, with a byte order mark, UTF-16, as PowerShell's ">" writes it. */
export function decodeText(bytes: Uint8Array): string {
  const encoding = isUtf16(bytes) ? (bytes[0] === 0xff ? "utf-16le" : "utf-16be") : "utf-8";
  return new TextDecoder(encoding).decode(bytes);
}

/** The same text in UTF-8, for what looks at bytes. */
export function utf8Bytes(bytes: Uint8Array): Uint8Array {
  return isUtf16(bytes) ? Buffer.from(decodeText(bytes)) : bytes;
}

/** Whether a text has the byte order mark of UTF-16, in either order. */
export function isUtf16([first, second]: Uint8Array): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
}
