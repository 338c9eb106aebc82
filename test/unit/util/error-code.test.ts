import { expect, test } from "vitest";
import { errorCode } from "../../../src/util/error-code.ts";

test.each([
  [Object.assign(new Error("full"), { code: "ENOSPC" }), "ENOSPC"],
  [Object.assign(new Error("odd"), { code: 5 }), "5"],
  [new Error("plain"), ""],
  [{ code: "ENOSPC" }, ""],
  [undefined, ""],
])("errorCode() of %o is %j", (error, code) => {
  expect(errorCode(error)).toBe(code);
});
