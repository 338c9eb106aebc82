/** Records of an extended header, by key. */
export type PaxRecords = ReadonlyMap<string, Buffer>;

/**
 * Reads the records of an extended header as far as they are well-formed: for lists of what other programs unpack. Of a
 * repeated key, the last record counts.
 */
export function loosePax(body: Buffer): PaxRecords {
  const records = new Map<string, Buffer>();
  for (let at = 0; at < body.length; ) {
    const blank = body.indexOf(0x20, at);
    const length = blank < 0 || blank - at > 8 ? Number.NaN : Number(body.toString("latin1", at, blank));
    const end = at + length;
    const equals = body.indexOf(0x3d, blank);
    // Also of NaN.
    if (!(length > 0 && end <= body.length && equals > blank && equals < end)) break;
    records.set(body.toString("utf8", blank + 1, equals), body.subarray(equals + 1, end - 1));
    at = end;
  }
  return records;
}

/** A decimal record; undefined if it is absent or no whole number from 0 to 2^53 − 1. */
export function paxNumber(records: PaxRecords, key: string): number | undefined {
  const text = records.get(key)?.toString("latin1") ?? "";
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}
