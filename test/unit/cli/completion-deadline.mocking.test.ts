import { expect, test, vi } from "vitest";
import { complete } from "../../../src/cli/completion/completion.ts";
import { deferred } from "../../../src/util/promises.ts";
import { ScriptedRegistry } from "../../support/scripted-registry.ts";

test("complete() gives up on a registry that never ends its answer", async () => {
  const deadline = new AbortController();
  const timeout = vi.spyOn(AbortSignal, "timeout").mockReturnValue(deadline.signal);
  const end = deferred<void>();
  const registry = await ScriptedRegistry.start({
    faults: [
      {
        on: /tags/,
        reply: { status: 200, body: Buffer.from("{}") },
        stall: { after: 1, until: end.promise },
        onRequest: () => deadline.abort(),
      },
    ],
  });
  const word = `${registry.host}/app:`;
  const found = await new Promise(resolve => {
    complete(word, { _: ["imgpack", "pull", word] }, () => undefined, resolve);
  });
  expect(found).toEqual([]);
  expect(timeout).toHaveBeenCalledWith(2000);
  end.resolve();
});
