import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeRecords, encodeRecord, type JournalRecord } from "../../../../src/archive/partial/journal-record.ts";
import { RECORD_BYTES } from "../../../../src/util/lock/record-frame.ts";
import { noise } from "../../../support/memory-blobs.ts";

const hex = (bytes: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map(array => Buffer.from(array).toString("hex"));
const whole = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const index = fc.nat({ max: 2 ** 32 - 1 });
const nonce = hex(8);
const boot = hex(16).filter(text => !/^0+$/.test(text));
const started = fc.oneof(fc.constant(null), fc.record({ boot, ticks: whole }));
const records: fc.Arbitrary<JournalRecord> = fc.oneof(
  fc.record({ type: fc.constant("claim" as const), id: nonce, pid: index, started, namespace: nonce }),
  fc.record({ type: fc.constant("release" as const), id: nonce }),
  fc.record({ type: fc.constant("open" as const), nonce, plan: hex(16), command: hex(16), totalBytes: whole }),
  fc.record({ type: fc.constant("blob" as const), nonce, index, size: whole, offset: whole, digest: hex(16) }),
  fc.record({
    type: fc.constant("progress" as const),
    nonce,
    index,
    bytes: whole,
    isDurable: fc.boolean(),
    claim: nonce,
  }),
  fc.record({ type: fc.constant("reset" as const), nonce, index }),
  fc.record({ type: fc.constant("done" as const), nonce }),
);
const journal = (list: readonly JournalRecord[]): Buffer => Buffer.concat(list.map(encodeRecord));
const done = encodeRecord({ type: "done", nonce: "00112233445566aa" });

describe("decodeRecords()", () => {
  test("gives back every record that encodeRecord() wrote, in order", () => {
    fc.assert(
      fc.property(fc.array(records), list => {
        expect([...decodeRecords(journal(list))]).toEqual(list);
      }),
    );
  });

  test("finds the records between torn ones, garbage and zeros, and never one that was not written", () => {
    // Of a torn record, so much is missing that what follows does not complete it by chance.
    const piece = fc.oneof(
      records.map(record => ({ bytes: encodeRecord(record), record })),
      fc
        .tuple(records, fc.integer({ min: 0, max: RECORD_BYTES - 8 }))
        .map(([record, cut]) => ({ bytes: encodeRecord(record).subarray(0, cut), record: undefined })),
      fc.uint8Array({ maxLength: 200 }).map(bytes => ({ bytes, record: undefined })),
      fc.nat({ max: 600 }).map(size => ({ bytes: new Uint8Array(size), record: undefined })),
    );
    fc.assert(
      fc.property(fc.array(piece), pieces => {
        const bytes = Buffer.concat(pieces.map(part => part.bytes));
        const written = pieces.flatMap(({ record }) => (record === undefined ? [] : [record]));
        expect([...decodeRecords(bytes)]).toEqual(written);
      }),
    );
  });

  test("skips a record with any changed byte", () => {
    fc.assert(
      fc.property(
        records,
        fc.nat({ max: RECORD_BYTES - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (record, at, change) => {
          const bytes = Buffer.from(encodeRecord(record));
          bytes[at] = (bytes[at] ?? 0) ^ change;
          expect([...decodeRecords(bytes)]).toEqual([]);
        },
      ),
    );
  });

  test("skips a record of another version, and over an unknown type", () => {
    const other = Buffer.from(done);
    other.write("IPJ2", 0);
    expect([...decodeRecords(Buffer.concat([other, done]))]).toHaveLength(1);
  });

  test("reads numbers that no file has, without throwing", () => {
    const record = {
      type: "progress",
      nonce: "0".repeat(16),
      index: 2 ** 32 - 1,
      bytes: 2 ** 63,
      isDurable: true,
    } as const;
    const [read] = decodeRecords(journal([{ ...record, claim: "0".repeat(16) }]));
    expect(read).toMatchObject({ index: 4294967295, bytes: 2 ** 63 });
  });

  test("comes to an end in a file full of beginnings", () => {
    expect([...decodeRecords(Buffer.from("IPJ1".repeat(5000)))]).toEqual([]);
    expect([...decodeRecords(Buffer.from(noise(100_000)))]).toEqual([]);
  });
});

describe("encodeRecord()", () => {
  test("always gives 64 bytes", () => {
    fc.assert(
      fc.property(records, record => {
        expect(encodeRecord(record)).toHaveLength(RECORD_BYTES);
      }),
    );
  });
});
