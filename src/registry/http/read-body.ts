/**
 * Reads at most `maxBytes` of a body. An unread rest closes the connection.
 *
 * @throws what the connection fails with.
 */
export async function readBody(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<{ readonly bytes: Uint8Array; readonly isWhole: boolean }> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body) {
    parts.push(part);
    bytes += part.length;
    if (bytes > maxBytes) break;
  }
  return { bytes: Buffer.concat(parts).subarray(0, maxBytes), isWhole: bytes <= maxBytes };
}
