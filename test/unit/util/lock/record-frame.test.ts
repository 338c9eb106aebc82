import { describe, expect, test } from "vitest";
import { encodeFrame, isRecordFile } from "../../../../src/util/lock/record-frame.ts";

const record = encodeFrame(7, "00112233445566aa");

describe("isRecordFile()", () => {
  test.each<[string, Uint8Array | string]>([
    ["nothing", ""],
    ["zeros, as a power cut leaves them", new Uint8Array(200)],
    ["a record", record],
    ["a torn first record", record.subarray(0, 3)],
    ["zeros and a torn record", Buffer.concat([new Uint8Array(512), record.subarray(0, 20)])],
    ["a record after the rest of a torn sector", Buffer.concat([record.subarray(30), record])],
  ])("takes %s", (_name, content) => {
    expect(isRecordFile(Buffer.from(content))).toBe(true);
  });

  test.each<[string, Uint8Array | string]>([
    ["a text", "my notes\n"],
    ["a text of two bytes", "IQ"],
    ["records of another version", "IPJ2".padEnd(64, "x")],
    ["zeros and a text", Buffer.concat([new Uint8Array(64), Buffer.from("text")])],
  ])("refuses %s", (_name, content) => {
    expect(isRecordFile(Buffer.from(content))).toBe(false);
  });
});
