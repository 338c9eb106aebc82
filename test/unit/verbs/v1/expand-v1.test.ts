import { describe, expect, test } from "vitest";
import { AuthError, NotFoundError, UsageError } from "../../../../src/errors.ts";
import { expandV1 } from "../../../../src/verbs/v1/expand-v1.ts";
import { nameV1Images } from "../../../../src/verbs/v1/name-v1-images.ts";
import { MemoryV1Store } from "../../../support/memory-v1-store.ts";

function scene(...names: readonly string[]) {
  const store = new MemoryV1Store("old.lan");
  for (const name of names) {
    const [repository = "", tag] = name.split(":");
    if (tag === undefined) store.tagsOf(repository);
    else store.add(repository, tag, [Buffer.from(name)]);
  }
  const notes: string[] = [];
  const options = { stores: { storeFor: async () => store }, onNote: (note: string) => void notes.push(note) };
  const expand = async (texts: readonly string[], keepGoing = false) =>
    await expandV1(
      texts.map(reference => ({ reference })),
      { ...options, keepGoing },
    );
  return { store, notes, expand };
}

const sources = ({ images }: { readonly images: readonly { readonly source: string }[] }) =>
  images.map(({ source }) => source);

describe("expandV1", () => {
  test("a plain reference costs no request", async () => {
    const { store, expand } = scene("library/app:latest");
    expect(sources(await expand(["v1://old.lan/app", "v1://old.lan/library/app:latest"]))).toEqual([
      "v1://old.lan/library/app:latest",
    ]);
    expect(store.reads).toEqual([]);
  });

  test("wildcards match repositories and tags, each list read once; repositories without tags are counted", async () => {
    const { store, notes, expand } = scene("library/app:1", "Team/App:1.0", "Team/App:2", "team/db", "other/x:1");
    const all = await expand(["v1://old.lan/**", "v1://old.lan/Team/*:1.*"]);
    expect(sources(all)).toHaveLength(4);
    expect(all).toMatchObject({ repositories: 4, repositoriesWithoutTags: 1, failed: [] });
    expect(store.reads.filter(read => read === "search")).toHaveLength(1);
    expect(sources(await expand(["v1://old.lan/?pp"]))).toEqual(["v1://old.lan/library/app:1"]);
    expect(sources(await expand(["v1://old.lan/Team/App:?"]))).toEqual(["v1://old.lan/Team/App:2"]);
    expect(notes[0]).toBe('"v1://old.lan/**:*" matches 4 tags in 3 repositories');
    await expect(expand(["v1://old.lan/team/*"])).rejects.toThrow(NotFoundError);
  });

  test("wildcards that match nothing say what there is", async () => {
    const { expand } = scene("library/app:1.4.1", "library/app:latest", "team/db:1");
    const hintOf = async (text: string): Promise<unknown> =>
      await expand([text]).catch((error: unknown) => (error as NotFoundError).hint);
    expect(await hintOf("v1://old.lan/app:1.5*")).toMatch(/^library\/app has the tags "1\.4\.1", "latest"\.$/);
    expect(await hintOf("v1://old.lan/ap*/*")).toMatch(
      /^"imgpack catalog v1:\/\/old\.lan" lists .* any number of parts\.$/,
    );
  });

  test("a repository that cannot be read does not stop a rescue, and one that is gone counts as empty", async () => {
    const { store, expand } = scene("library/app:1", "team/secret:1", "team/gone:1");
    store.onRead = what => {
      if (what === "open team/secret") throw new AuthError("Cannot read team/secret: login needed");
      if (what === "open team/gone") throw new NotFoundError("Cannot find team/gone");
    };
    const found = await expand(["v1://old.lan/**"], true);
    expect(sources(found)).toEqual(["v1://old.lan/library/app:1"]);
    expect(found.failed.map(({ source }) => source)).toEqual(["v1://old.lan/team/secret"]);
    expect(found.repositoriesWithoutTags).toBe(1);
    await expect(expand(["v1://old.lan/**"])).rejects.toThrow(AuthError);
  });

  test("a tag that no other registry takes is reported", async () => {
    const { store, expand } = scene("library/app:1");
    store.tagsOf("library/app").set("-x", "0".repeat(64));
    store.tagsOf("library/app").set("1\nother.lan/x -> y", "0".repeat(64));
    const found = await expand(["v1://old.lan/app:*"], true);
    expect(found.failed.map(({ source }) => source)).toEqual([
      "v1://old.lan/library/app:-x",
      'v1://old.lan/library/app:"1\\u{a}other.lan/x -> y"',
    ]);
    expect(sources(found)).toEqual(["v1://old.lan/library/app:1"]);
  });

  test("a store alone is refused with what to write", async () => {
    await expect(scene().expand(["v1://old.lan"])).rejects.toMatchObject({
      exitCode: 2,
      hint: "All of them are v1://old.lan/**.",
    });
  });
});

describe("nameV1Images", () => {
  test("names are in lower case and without library/", async () => {
    const { expand } = scene("library/App:V1", "team/app:1");
    const notes: string[] = [];
    const { names } = nameV1Images(await expand(["v1://old.lan/**"]), note => void notes.push(note));
    expect([...names.values()]).toEqual(["old.lan/app:V1", "old.lan/team/app:1"]);
    expect(notes).toEqual(['"old.lan/App" is named "old.lan/app": upper case is legal in v1 alone']);
  });

  test("two repositories with one name in lower case get none, also if one of them is only listed; others get theirs", async () => {
    const { expand } = scene("team/App:1", "team/app:1", "team/Other:1", "team/a..b:1");
    for (const [text, count] of [
      ["v1://old.lan/**", 3],
      ["v1://old.lan/team/A*", 1],
    ] as const) {
      const { names, failed } = nameV1Images(await expand([text]), () => undefined);
      expect([...names.values()]).toEqual(count === 1 ? [] : ["old.lan/team/other:1"]);
      expect(failed).toHaveLength(count);
      for (const { error } of failed) expect(error).toBeInstanceOf(UsageError);
      expect(failed[0]?.error.message).toMatch(/team\/App.*team\/app/);
    }
  });

  test("a name of its own is kept, and a repository that no one else takes needs one", async () => {
    const { store } = scene("team/a..b:1");
    const stores = { storeFor: async () => store };
    const named = async (name?: string) =>
      nameV1Images(
        await expandV1([{ reference: "v1://old.lan/team/a..b:1", name }], { stores, onNote: () => undefined }),
        () => undefined,
      );
    expect([...(await named("new.lan/b")).names.values()]).toEqual(["new.lan/b:1"]);
    expect((await named()).failed[0]?.error.message).toMatch(/expected one that other registries take/);
  });
});
