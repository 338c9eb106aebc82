import { describe, expect, test } from "vitest";
import { copyTo, push } from "../../../../src/index.ts";
import { parsePrefix } from "../../../../src/verbs/options/prefix.ts";

describe("parsePrefix()", () => {
  test.each([
    ["r.lan", { registry: "r.lan", repository: "" }],
    ["r.lan:5000/", { registry: "r.lan:5000", repository: "" }],
    ["r.lan:5000/team/x", { registry: "r.lan:5000", repository: "team/x" }],
  ])("reads %s", (text, prefix) => {
    expect(parsePrefix("push to", text)).toEqual(prefix);
  });

  test.each([
    ["r.lan/team/app:7", "found tag 7"],
    [`r.lan/team/app@sha256:${"0".repeat(64)}`, "found a digest"],
    ["team/app", "no registry named"],
  ])("--to %s is an error, also for a push that would not need it: its tag was dropped", async (to, found) => {
    const usage = { exitCode: 2, message: expect.stringContaining(`${found}, expected HOST/PREFIX`) };
    await expect(push([], { to })).rejects.toMatchObject(usage);
    await expect(copyTo(["r.lan/a:1"], to)).rejects.toMatchObject(usage);
  });
});
