import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BlobRecord, JournalRecord, ProgressRecord } from "../../../../src/archive/partial/journal-record.ts";
import { journalState } from "../../../../src/archive/partial/journal-state.ts";
import type { ClaimRecord } from "../../../../src/util/lock/lock-record.ts";

const nonce = "a".repeat(16);
const claimOf = (id: string, boot: string | null): ClaimRecord => {
  return {
    type: "claim",
    id,
    pid: 7,
    namespace: "0".repeat(16),
    started: boot === null ? null : { boot: boot.repeat(32), ticks: 1 },
  };
};
const [before, now] = [claimOf("1".repeat(16), "1"), claimOf("2".repeat(16), "2")];
const open = (of = nonce): JournalRecord => {
  return { type: "open", nonce: of, plan: "p".repeat(32), command: "c".repeat(32), totalBytes: 10_000 };
};
const blob = (index: number, size: number, of = nonce): BlobRecord => {
  return { type: "blob", nonce: of, index, size, offset: 512, digest: "d".repeat(32) };
};
const progress = (index: number, bytes: number, more: Partial<ProgressRecord> = {}): ProgressRecord => {
  return { type: "progress", nonce, index, bytes, isDurable: true, claim: before.id, ...more };
};
const kept = (records: readonly JournalRecord[], own = now): object =>
  Object.fromEntries(journalState(records, own)?.kept ?? []);

describe("journalState()", () => {
  test("is undefined when no archive was begun", () => {
    expect(journalState([], now)).toBeUndefined();
    expect(journalState([before, progress(0, 5)], now)).toBeUndefined();
  });

  test("keeps the furthest durable progress of each blob, in whatever order it was written", () => {
    const records = [before, open(), blob(0, 100), blob(1, 100), progress(0, 60), progress(0, 40), progress(1, 100)];
    expect(kept(records)).toEqual({ 0: 60, 1: 100 });
  });

  test("counts what was not synced only while the same system runs", () => {
    const soft = [before, open(), blob(0, 100), progress(0, 60, { isDurable: false }), progress(0, 20)];
    expect(kept(soft)).toEqual({ 0: 20 });
    expect(kept(soft, { ...now, started: before.started })).toEqual({ 0: 60 });
  });

  test("counts nothing unsynced where the system tells no boot, or the claim is not in the journal", () => {
    const soft = progress(0, 60, { isDurable: false });
    expect(kept([claimOf(before.id, null), open(), blob(0, 100), soft], claimOf("3", null))).toEqual({});
    expect(kept([open(), blob(0, 100), soft], now)).toEqual({});
  });

  test("forgets a blob that was reset, and counts what came after", () => {
    const records = [before, open(), blob(0, 100), progress(0, 60), { type: "reset", nonce, index: 0 } as const];
    expect(kept(records)).toEqual({});
    expect(kept([...records, progress(0, 10)])).toEqual({ 0: 10 });
  });

  test("speaks of the archive begun last alone", () => {
    const other = "b".repeat(16);
    const records = [before, open(), blob(0, 100), progress(0, 60), open(other), blob(0, 50, other), progress(0, 90)];
    expect(kept(records)).toEqual({});
    expect(kept([...records, progress(0, 50, { nonce: other })])).toEqual({ 0: 50 });
  });

  test("says that all is there when the archive is done", () => {
    const state = journalState([before, open(), blob(0, 100), blob(1, 0), { type: "done", nonce }], now);
    expect(state).toMatchObject({
      isDone: true,
      kept: new Map([
        [0, 100],
        [1, 0],
      ]),
    });
  });

  test.each([
    ["more than the blob has", [blob(0, 100), progress(0, 101)]],
    ["a blob that the journal does not know", [blob(0, 100), progress(7, 10)]],
    ["a number that no file has", [blob(0, 100), progress(0, 2 ** 63)]],
    ["an index that no plan has", [blob(0, 100), progress(2 ** 32 - 1, 1)]],
  ])("does not count progress of %s", (_name, records) => {
    expect(kept([before, open(), ...records])).toEqual({});
  });

  test("never keeps more of a blob than it has, whatever the records say", () => {
    const number = fc.oneof(fc.nat({ max: 4 }), fc.nat({ max: Number.MAX_SAFE_INTEGER }));
    const record: fc.Arbitrary<JournalRecord> = fc.oneof(
      fc.constant(open()),
      fc.constant<JournalRecord>({ type: "done", nonce }),
      fc.tuple(number, number).map(([index, size]) => blob(index, size)),
      fc
        .tuple(number, number, fc.boolean(), fc.constantFrom(before.id, now.id))
        .map(([index, bytes, isDurable, claim]) => progress(index, bytes, { isDurable, claim })),
      number.map((index): JournalRecord => ({ type: "reset", nonce, index })),
    );
    fc.assert(
      fc.property(fc.array(record), records => {
        const state = journalState([before, now, ...records], now);
        for (const [index, bytes] of state?.kept ?? [])
          expect(bytes).toBeLessThanOrEqual(state?.blobs.get(index)?.size ?? 0);
      }),
    );
  });
});
