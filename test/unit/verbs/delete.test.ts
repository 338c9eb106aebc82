import { describe, expect, test } from "vitest";
import { type Deletion, deleteImage } from "../../../src/verbs/delete.ts";
import { type Fault, json, ScriptedRegistry } from "../../support/scripted-registry.ts";
import { listing, putImage } from "./query/listed-registry.ts";

const UNSUPPORTED = json(405, { errors: [{ code: "UNSUPPORTED", message: "The operation is unsupported." }] });
const BAD_DIGEST = json(400, { errors: [{ code: "DIGEST_INVALID", message: "provided digest did not match" }] });

async function start(...faults: readonly Fault[]): Promise<{ registry: ScriptedRegistry; digest: string }> {
  const tags = listing(/tags\/list/, "tags", ["1", "latest", "other"]);
  const registry = await ScriptedRegistry.start({ faults: [...faults, tags] });
  const { digest } = putImage(registry.content, ["app:1", "app:latest"]);
  putImage(registry.content, ["app:other"]);
  return { registry, digest };
}

/** Says yes to everything, and keeps what it was asked. */
function agreeing(answers: readonly boolean[] = []): {
  asked: Deletion[];
  confirm: (deletion: Deletion) => Promise<boolean>;
} {
  const asked: Deletion[] = [];
  const confirm = async (deletion: Deletion): Promise<boolean> => {
    asked.push(deletion);
    return answers[asked.length - 1] ?? true;
  };
  return { asked, confirm };
}

describe("deleteImage()", () => {
  test("deleteImage() removes a tag alone where the registry does that", async () => {
    const { registry, digest } = await start({ on: /^DELETE .*\/1$/, reply: { status: 202 } });
    const { asked, confirm } = agreeing();
    const result = await deleteImage(`${registry.host}/app:1`, { confirm });
    expect(result).toEqual({ reference: `${registry.host}/app:1`, removes: "tag", digest });
    expect(asked).toEqual([result]);
    expect(registry.seen(/^DELETE/).map(({ path }) => path)).toEqual(["/v2/app/manifests/1"]);
  });

  test("deleteImage() of an absent tag says that it cannot delete", async () => {
    const { registry } = await start();
    const { confirm } = agreeing();
    await expect(deleteImage(`${registry.host}/app:none`, { confirm })).rejects.toThrow(
      `Cannot delete manifest none from ${registry.host}/app: status 404`,
    );
  });

  test.each([
    ["400 DIGEST_INVALID, as distribution 2", BAD_DIGEST],
    ["405 UNSUPPORTED", UNSUPPORTED],
  ])("deleteImage() asks again before it removes the manifest with its other tags: %s", async (_name, reply) => {
    const { registry, digest } = await start(
      { on: /^DELETE .*\/1$/, reply },
      { on: /^DELETE .*sha256/, reply: { status: 202 } },
    );
    const { asked, confirm } = agreeing();
    const result = await deleteImage(`${registry.host}/app:1`, { confirm, allTags: true });
    expect(result).toEqual({
      reference: `${registry.host}/app@${digest}`,
      removes: "manifest",
      digest,
      tags: ["1", "latest"],
    });
    expect(asked.map(({ removes }) => removes)).toEqual(["tag", "manifest"]);
    expect(registry.seen(/^DELETE/).map(({ path }) => path)).toEqual([
      "/v2/app/manifests/1",
      `/v2/app/manifests/${digest}`,
    ]);
  });

  test("deleteImage() does not trust a list of tags without the tag that it deletes", async () => {
    const { registry } = await start(
      { on: /^DELETE .*\/1$/, reply: BAD_DIGEST },
      listing(/tags\/list/, "tags", ["latest-of-another"]),
    );
    const { confirm } = agreeing([true, true]);
    await expect(deleteImage(`${registry.host}/app:1`, { confirm })).rejects.toMatchObject({
      exitCode: 8,
      message: expect.stringContaining("other tags that cannot be looked up"),
    });
    expect(registry.seen(/^DELETE .*sha256/)).toHaveLength(0);
  });

  test("deleteImage() deletes nothing after a no", async () => {
    const { registry } = await start({ on: /^DELETE .*\/1$/, reply: BAD_DIGEST });
    const first = agreeing([false]);
    expect(await deleteImage(`${registry.host}/app:1`, { confirm: first.confirm })).toBeUndefined();
    expect(registry.seen(/^DELETE/)).toHaveLength(0);
    const second = agreeing([true, false]);
    expect(await deleteImage(`${registry.host}/app:1`, { confirm: second.confirm, allTags: true })).toBeUndefined();
    expect(registry.seen(/^DELETE .*sha256/)).toHaveLength(0);
  });

  test("deleteImage() leaves the image alone if its other tags would go with the one that was named", async () => {
    const { registry } = await start({ on: /^DELETE .*\/1$/, reply: BAD_DIGEST });
    const { asked, confirm } = agreeing();
    const failed = await deleteImage(`${registry.host}/app:1`, { confirm }).catch((e: Error) => e);
    console.log(
      (failed as Error).message,
      registry.requests.map(r => r.method + r.path),
    );
    expect(failed).toMatchObject({
      exitCode: 8,
      message: expect.stringContaining("removes the other tags latest, expected one tag"),
      hint: "Nothing was deleted. Delete all of them with --all-tags.",
    });
    expect(asked.map(({ removes }) => removes)).toEqual(["tag"]);
    expect(registry.seen(/^DELETE .*sha256/)).toHaveLength(0);
  });

  test("deleteImage() deletes the manifest of the only tag without more ado", async () => {
    const { registry } = await start(
      { on: /^DELETE .*\/other$/, reply: BAD_DIGEST },
      { on: /^DELETE .*sha256/, reply: { status: 202 } },
    );
    const result = await deleteImage(`${registry.host}/app:other`, { confirm: agreeing().confirm });
    expect(result).toMatchObject({ removes: "manifest", tags: ["other"] });
  });

  test("deleteImage() says how to switch deletion on", async () => {
    const { registry, digest } = await start({ on: /^DELETE/, times: 9, reply: UNSUPPORTED });
    for (const reference of [`${registry.host}/app:other`, `${registry.host}/app@${digest}`]) {
      await expect(deleteImage(reference, { confirm: agreeing().confirm })).rejects.toMatchObject({
        exitCode: 8,
        message: expect.stringContaining("status 405 UNSUPPORTED"),
        hint: expect.stringContaining("REGISTRY_STORAGE_DELETE_ENABLED=true"),
      });
    }
  });

  test("deleteImage() says that deleting needs rights", async () => {
    const { registry } = await start({ on: /^DELETE/, reply: json(403, { errors: [{ code: "DENIED" }] }) });
    await expect(deleteImage(`${registry.host}/app:1`, { confirm: agreeing().confirm })).rejects.toMatchObject({
      exitCode: 4,
      hint: expect.stringContaining("rights of its own"),
    });
  });

  test("deleteImage() looks up no tags where there are more than a hundred", async () => {
    const many = Array.from({ length: 150 }, (_, place) => `t${place}`);
    const registry = await ScriptedRegistry.start({
      faults: [listing(/tags\/list/, "tags", many), { on: /^DELETE/, reply: { status: 202 } }],
    });
    const { digest } = putImage(registry.content, ["app:t0"]);
    const result = await deleteImage(`${registry.host}/app@${digest}`, { confirm: agreeing().confirm });
    expect(result).not.toHaveProperty("tags");
    expect(registry.seen(/^HEAD/)).toHaveLength(1);
  });

  test("deleteImage() never guesses: it wants tag or digest, a registry, and something that is there", async () => {
    const { registry } = await start();
    await expect(deleteImage(`${registry.host}/app`, { confirm: agreeing().confirm })).rejects.toMatchObject({
      exitCode: 2,
    });
    const both = `${registry.host}/app:1@sha256:${"0".repeat(64)}`;
    await expect(deleteImage(both, { confirm: agreeing().confirm })).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining("found a tag and a digest, expected one of them"),
    });
    await expect(deleteImage("app:1", { confirm: agreeing().confirm })).rejects.toMatchObject({ exitCode: 2 });
    await expect(deleteImage(`${registry.host}/app:none`, { confirm: agreeing().confirm })).rejects.toMatchObject({
      exitCode: 5,
    });
    expect(registry.seen(/^DELETE/)).toHaveLength(0);
  });
});
