import { describe, expect, test } from "vitest";
import {
  type Breaking,
  half,
  isFirst,
  isLater,
  LAYER,
  PATCH,
  pushHuge,
  STATUS,
  strictRegistry,
} from "./push-once-parts.ts";
import { ownTemporaryFolder } from "./push-once-support.ts";
import { count, expectStored } from "./push-support.ts";

ownTemporaryFolder();

describe("push() of a part that fails", () => {
  const places: [string, Breaking["when"]][] = [
    ["the first part", isFirst],
    ["a later part", isLater],
  ];
  const keeps: [string, Breaking["keep"]][] = [
    ["all", bytes => bytes],
    ["half", half],
    ["one byte", () => 1],
    ["nothing", () => 0],
  ];
  const cases = places.flatMap(([place, when]) => keeps.map(([kept, keep]) => [place, kept, when, keep] as const));

  test.each(cases)(
    "push() goes on with %s where the registry, which kept %s, says",
    async (_place, _kept, when, keep) => {
      const registry = await strictRegistry({ when, keep });
      const pushed = await pushHuge(registry);
      expectStored(pushed, [LAYER]);
      expect(count(pushed, STATUS)).toBeGreaterThanOrEqual(1);
      expect(registry.seen(/^POST .*\/uploads\/$/).length).toBeLessThanOrEqual(3);
    },
  );

  test.each(places)("push() goes on after a 416 for %s", async (_place, when) => {
    const registry = await strictRegistry({ when, keep: half, answer: { status: 416 } });
    expectStored(await pushHuge(registry), [LAYER]);
  });

  test.each(places)("push() sends %s again after a reset", async (_place, when) => {
    const registry = await strictRegistry({ when: () => false, keep: half });
    registry.addFault({ on: PATCH, when, cut: "before" });
    expectStored(await pushHuge(registry), [LAYER]);
  });
});
