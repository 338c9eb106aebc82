export interface ReadBody {
  /** What arrived, at most `maxBytes`. */
  readonly bytes: Uint8Array;
  /** False if the body is longer than `maxBytes`. */
  readonly isWhole: boolean;
  /** What the connection failed with, if the body broke off. */
  readonly failure?: { readonly cause: unknown };
}

/** Reads at most `maxBytes` of a body. An unread rest closes the connection. */
export async function readBody(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<ReadBody> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  let failure: ReadBody["failure"];
  try {
    for await (const part of body) {
      parts.push(part);
      bytes += part.length;
      if (bytes > maxBytes) break;
    }
  } catch (cause) {
    failure = { cause };
  }
  const isWhole = bytes <= maxBytes && failure === undefined;
  return { bytes: Buffer.concat(parts).subarray(0, maxBytes), isWhole, ...(failure === undefined ? {} : { failure }) };
}
