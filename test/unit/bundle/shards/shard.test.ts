import { describe, expect, test } from "vitest";
import { formatShard, parseShard } from "../../../../src/bundle/shards/shard.ts";

describe("parseShard()", () => {
  test.each([
    ["0/1", { index: 0, of: 1 }],
    ["7/8", { index: 7, of: 8 }],
    ["9999/10000", { index: 9999, of: 10_000 }],
  ])("reads %s", (text, shard) => {
    expect(parseShard(text)).toEqual(shard);
    expect(formatShard(shard)).toBe(text);
  });

  test.each([
    ["8/8", "found shard 8, expected a number from 0 to 7", "--shard 0/8 to --shard 7/8."],
    ["1/1", "found shard 1, expected 0", ": --shard 0/1."],
    ["0/0", "found 0 shards, expected at least 1", "--shard 0/8 to --shard 7/8."],
    ["01/8", "found leading zeros, expected 1/8", "--shard 0/8 to --shard 7/8."],
    ["1/08", "found leading zeros, expected 1/8", "--shard 0/8 to --shard 7/8."],
    ["0/10001", "found 10001 shards, expected at most 10000", "--shard 0/8 to --shard 7/8."],
    ["", "found another form, expected I/N, such as 0/8", "--shard 0/8 to --shard 7/8."],
    ["3", "found another form, expected I/N, such as 0/8", "--shard 0/8 to --shard 7/8."],
    ["-1/8", "found another form, expected I/N, such as 0/8", "--shard 0/8 to --shard 7/8."],
    ["1/8 ", "found another form, expected I/N, such as 0/8", "--shard 0/8 to --shard 7/8."],
    ["0x1/8", "found another form, expected I/N, such as 0/8", "--shard 0/8 to --shard 7/8."],
    ["/8", "found another form, expected I/N, such as 0/8", "--shard 0/8 to --shard 7/8."],
  ])("refuses %j with the right form", (text, message, hint) => {
    expect(() => parseShard(text)).toThrow(
      expect.objectContaining({
        exitCode: 2,
        message: `Cannot use --shard "${text}": ${message}`,
        hint: expect.stringContaining(hint),
      }),
    );
  });
});
