import { expect, test } from "vitest";
import { Interrupted } from "../../../src/cli/signals.ts";

test("an interrupted run says that it resumes, if it does: convert starts over", () => {
  const hintOf = (command: string): string => new Interrupted("SIGINT", command).hint;
  expect(hintOf("pull")).toContain("the next run resumes with what could be kept; what went to stdout starts over");
  expect(hintOf("convert")).toBe("Run the same command again.");
});
