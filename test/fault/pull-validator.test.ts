import { describe, expect, test } from "vitest";
import { BIG, BIG_BLOB, expectWhole, pullCase, SMALL, SMALL_BLOB } from "./pull-support.ts";

const isRanged = ({ headers }: { readonly headers: object }): boolean => "range" in headers;

describe("pull() of a blob that goes on after a cut", () => {
  const bodies = [
    { what: "a big blob", on: BIG_BLOB, layer: BIG, cut: 1_500_000 },
    { what: "a small blob", on: SMALL_BLOB, layer: SMALL, cut: 4000 },
  ];

  test.each(bodies)("pull() shows the entity tag of the first part of $what", async ({ on, layer, cut }) => {
    const change =
      (etag: string) =>
      ({ headers }: { readonly headers: object }) => ({ headers: { ...headers, etag } });
    const faults = [{ on, cut, change: change('"one"') }];
    const pulled = await pullCase({ layers: [layer], faults });
    await expectWhole(pulled);
    const [, second] = pulled.registry.seen(on);
    expect(second?.headers["if-range"]).toBe(second?.headers.range === undefined ? undefined : '"one"');
  });

  test("pull() shows no weak tag", async () => {
    const change = ({ headers }: { readonly headers: object }) => ({ headers: { ...headers, etag: 'W/"one"' } });
    const pulled = await pullCase({ layers: [BIG], faults: [{ on: BIG_BLOB, cut: 1_500_000, change }] });
    await expectWhole(pulled);
    const [, second] = pulled.registry.seen(BIG_BLOB);
    expect(second?.headers.range).toBe("bytes=1048576-");
    expect(second?.headers["if-range"]).toBeUndefined();
  });

  test("pull() takes the whole blob from a server that has another by now", async () => {
    const change = ({ headers }: { readonly headers: object }) => ({ headers: { ...headers, etag: '"one"' } });
    const again = { reply: { status: 200, body: BIG, headers: { etag: '"two"' } } };
    const faults = [
      { on: BIG_BLOB, cut: 1_500_000, change },
      { on: BIG_BLOB, times: 2, when: ({ headers }: { headers: object }) => "if-range" in headers, ...again },
    ];
    const pulled = await pullCase({ layers: [BIG], faults });
    await expectWhole(pulled);
    expect(pulled.registry.seen(BIG_BLOB)[1]?.headers["if-range"]).toBe('"one"');
  });

  test("pull() fetches the whole blob when a range of it is refused", async () => {
    const refused = { on: BIG_BLOB, times: 9, when: isRanged, reply: { status: 416 } };
    const pulled = await pullCase({ layers: [BIG], faults: [{ on: BIG_BLOB, cut: 1_500_000 }, refused] });
    await expectWhole(pulled);
    expect(pulled.registry.seen(BIG_BLOB).at(-1)?.headers.range).toBeUndefined();
  });
});
