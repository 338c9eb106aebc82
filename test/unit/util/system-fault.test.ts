import { describe, expect, test } from "vitest";
import { StorageError } from "../../../src/errors.ts";
import { storageState, withSystemFaults } from "../../../src/util/system-fault.ts";

function refusing(code: string, fields: object = { syscall: "read" }): () => Promise<never> {
  return async () => {
    throw Object.assign(new Error(code), { code, ...fields });
  };
}

describe("a fault of the system", () => {
  test.each([
    ["ENOSPC", 'Cannot write "out.tar": no space left, expected a writable file'],
    ["ETIMEDOUT", 'Cannot write "out.tar": error ETIMEDOUT of the system, expected a writable file'],
  ])("%s is a StorageError, whether there are words for it or not", async (code, message) => {
    const failed = withSystemFaults("write", "out.tar", refusing(code));
    await expect(failed).rejects.toThrow(StorageError);
    await expect(failed).rejects.toThrow(message);
  });

  test("an error of a callback stays what it is", async () => {
    const failed = withSystemFaults("write", "out.tar", refusing("MINE", {}));
    await expect(failed).rejects.not.toBeInstanceOf(StorageError);
  });

  test("what a StorageError says is not replaced by its code", () => {
    expect(storageState(new StorageError("another run took it over"))).toBe("another run took it over");
  });
});
