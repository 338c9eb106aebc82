import { describe, expect, test } from "vitest";
import { HostGate } from "../../../../src/registry/http/host-gate.ts";
import { deferred } from "../../../../src/util/promises.ts";

describe("HostGate", () => {
  test("HostGate holds everybody until the last pause has ended, also when one fails", async () => {
    const gate = new HostGate();
    await gate.pass();
    const [first, second] = [deferred<void>(), deferred<void>()];
    gate.closeUntil(first.promise);
    gate.closeUntil(second.promise);
    let isThrough = false;
    const passing = gate.pass().then(() => {
      isThrough = true;
    });
    first.reject(new Error("aborted"));
    await new Promise(resolve => setImmediate(resolve));
    expect(isThrough).toBe(false);
    second.resolve();
    await passing;
    expect(isThrough).toBe(true);
  });

  test("HostGate lets go whoever's signal aborts", async () => {
    const gate = new HostGate();
    gate.closeUntil(deferred<void>().promise);
    const stop = new AbortController();
    const passing = gate.pass(stop.signal);
    stop.abort(new Error("enough"));
    await expect(passing).rejects.toThrow("enough");
  });
});
