import { describe, expect, test } from "vitest";
import { ReplayableBody } from "../../../../src/registry/upload/replayable-body.ts";

const DESCRIPTOR = { mediaType: "x/y", digest: `sha256:${"0".repeat(64)}`, size: 10 } as const;

function body(): { readonly body: ReplayableBody; opened(): number } {
  let opened = 0;
  async function* parts(): AsyncGenerator<Uint8Array, void> {
    yield Buffer.from("0123");
    yield Buffer.from("");
    yield Buffer.from("4567");
    yield Buffer.from("89");
  }
  const open = async (): Promise<{ body: AsyncGenerator<Uint8Array, void>; descriptor: () => typeof DESCRIPTOR }> => {
    opened += 1;
    return { body: parts(), descriptor: () => DESCRIPTOR };
  };
  return { body: new ReplayableBody(open), opened: () => opened };
}

async function rest(replayed: ReplayableBody): Promise<string> {
  let text = "";
  for await (const part of replayed.parts()) text += Buffer.from(part).toString();
  return text;
}

describe("ReplayableBody", () => {
  test.each([0, 1, 4, 5, 9, 10])("ReplayableBody gives what comes from byte %i on", async offset => {
    const { body: replayed } = body();
    expect(await replayed.seek(offset)).toBe(true);
    expect(await rest(replayed)).toBe("0123456789".slice(offset));
    expect(await replayed.isAtEnd()).toBe(true);
    expect(replayed.descriptor()).toBe(DESCRIPTOR);
  });

  test("ReplayableBody says when it has fewer bytes than were asked for", async () => {
    expect(await body().body.seek(11)).toBe(false);
  });

  test("ReplayableBody reads on without a second opening, and opens again to go back", async () => {
    const { body: replayed, opened } = body();
    await replayed.seek(0);
    for await (const part of replayed.parts()) if (part.length === 4 && part[0] === 0x34) break;
    await replayed.seek(4);
    expect(await rest(replayed)).toBe("456789");
    expect(opened()).toBe(1);
    await replayed.seek(2);
    expect(await rest(replayed)).toBe("23456789");
    expect(opened()).toBe(2);
  });

  test("ReplayableBody is not spoilt by a request that failed and still reads", async () => {
    const { body: replayed } = body();
    await replayed.seek(0);
    const failed = replayed.parts();
    await failed.next();
    await replayed.seek(0);
    const parts = replayed.parts();
    expect(Buffer.from((await parts.next()).value ?? "").toString()).toBe("0123");
    expect((await failed.next()).done).toBe(true);
    expect(Buffer.from((await parts.next()).value ?? "").toString()).toBe("4567");
  });

  test("ReplayableBody does not name a blob before its last byte", async () => {
    const { body: replayed } = body();
    await replayed.seek(9);
    expect(() => replayed.descriptor()).toThrow(/before its last byte/);
  });
});
