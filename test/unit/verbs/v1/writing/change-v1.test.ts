import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { copy, copyTo } from "../../../../../src/verbs/copy/copy.ts";
import { deleteImage } from "../../../../../src/verbs/delete.ts";
import { tag } from "../../../../../src/verbs/tag.ts";
import { failureOf } from "../../../../support/canaries.ts";
import { ScriptedRegistry } from "../../../../support/scripted-registry.ts";
import { gzipLayer, rawLayer } from "../../../../support/shape-archives-parts.ts";
import { fillImage, idOf } from "../../../../support/v1/fill-v1.ts";
import { V1Registry } from "../../../../support/v1/v1-registry.ts";

const registry = { retry: { count: 0 }, tls: { plainHttp: true } } as const;
const OCI = "application/vnd.oci.image";
const LAYER = gzipLayer("one\n");

/** An image of one gzip layer. @returns its digest. */
function store({ content }: ScriptedRegistry, name: string, diffId: string = LAYER.diffId): string {
  const config = Buffer.from(
    JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [diffId] } }),
  );
  const describe = (mediaType: string, bytes: Buffer): object => ({
    mediaType,
    digest: content.addBlob(bytes),
    size: bytes.length,
  });
  const manifest = {
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    config: describe(`${OCI}.config.v1+json`, config),
    layers: [describe(`${OCI}.layer.v1.tar+gzip`, LAYER.bytes)],
  };
  return content.addManifest(name, manifest.mediaType, Buffer.from(JSON.stringify(manifest)));
}

/** `namespace/name:tag` of all tags, sorted. */
function tagsOf({ content }: V1Registry): readonly string[] {
  return [...content.repositories].flatMap(([name, { tags }]) => [...tags.keys()].map(one => `${name}:${one}`)).sort();
}

it("copies an image of a v2 registry: its gzip layer becomes a plain tar, a damaged one is refused before its end", async () => {
  const from = await ScriptedRegistry.start();
  const digest = store(from, "app:1");
  store(from, "app:2", `sha256:${"0".repeat(64)}`);
  const server = await V1Registry.start({ manner: "0.8" });
  const { images } = await copy(`${from.host}/app:1`, `v1://${server.host}/team/App`, { registry });
  expect(images).toMatchObject([{ reference: `v1://${server.host}/team/App:1`, digest }]);
  const [stored] = server.content.images.values();
  expect(stored?.layer).toEqual(rawLayer("one\n").bytes);
  const failure = await failureOf(copy(`${from.host}/app:2`, `v1://${server.host}/team/App`, { registry }));
  expect(failure.message).toContain("expected sha256:0000");
  expect([...(server.content.repositories.get("team/App")?.tags.keys() ?? [])]).toEqual(["1"]);
});

it("copies between v1 registries with ids, JSON and layers as they are, gzip ones too", async () => {
  const [from, to] = [
    await V1Registry.start({ manner: "0.6" }),
    await V1Registry.start({ manner: "0.9", hasIndex: true }),
  ];
  const { ids } = fillImage(from.content, "team/app", "1.0");
  from.content.addImage({ id: idOf("d"), parent: ids[2] ?? "", layer: gzipSync(rawLayer("top").bytes) });
  from.content.addTag("team/app", "2.0", idOf("d"));
  await copy(`v1://${from.host}/team/app:2.0`, `v1://${to.host}/other/App:3`, { registry });
  for (const id of [...ids, idOf("d")]) {
    expect(to.content.image(id).json).toEqual(from.content.image(id).json);
    expect(to.content.image(id).layer).toEqual(from.content.image(id).layer);
  }
  expect(to.content.repositories.get("other/App")?.tags.get("3")).toBe(idOf("d"));
  await copyTo(
    [`v1://${from.host}/**`, { reference: `v1://${from.host}/team/app:1.0`, name: "x:3" }],
    `v1://${to.host}`,
    {
      registry,
    },
  );
  expect(tagsOf(to)).toEqual(["library/x:3", "other/App:3", "team/app:1.0", "team/app:2.0"]);
  expect(from.requests.filter(({ method }) => method !== "GET")).toEqual([]);
});

it("copies several images below v1://HOST/NAMESPACE; one that fails does not stop the others: exit 10", async () => {
  const [from, to] = [await ScriptedRegistry.start(), await V1Registry.start()];
  store(from, "app:1");
  store(from, "app:2", `sha256:${"0".repeat(64)}`);
  const digest = store(from, "team/db:1");
  const target = `v1://${to.host}/ns`;
  const sources = [`${from.host}/app:*`, `${from.host}/team/db@${digest}`, `${from.host}/gone:*`];
  const nameless = await failureOf(copyTo(sources, target, { registry }));
  expect(nameless).toMatchObject({ exitCode: 2, message: expect.stringContaining("found no tag") as unknown });
  const named = { reference: sources[1] ?? "", name: "db:x" };
  const wanted = [sources[0] ?? "", named, sources[2] ?? ""];
  const planned = await failureOf(copyTo(wanted, target, { registry, dryRun: true }));
  expect(planned).toMatchObject({ exitCode: 10, failed: [`${from.host}/gone:*`] });
  expect(to.requests).toEqual([]);
  const failure = await failureOf(copyTo(wanted, target, { registry }));
  expect(failure).toMatchObject({
    exitCode: 10,
    failed: [`${from.host}/gone:*`, `${from.host}/app:2`],
    result: { images: [{ reference: `${target}/app:1` }, { reference: `${target}/db:x`, digest }] },
  });
  expect(tagsOf(to)).toEqual(["ns/app:1", "ns/db:x"]);
});

it("refuses two images of one name, more parts than v1 has, and options without a meaning, before a request", async () => {
  const [from, to] = [await V1Registry.start(), await V1Registry.start()];
  const v1 = `v1://${from.host}`;
  const refused = async (sources: Parameters<typeof copyTo>[0], target: string, options = {}): Promise<string> => {
    const failure = await failureOf(copyTo(sources, `v1://${to.host}${target}`, { registry, ...options }));
    expect(failure).toMatchObject({ exitCode: 2 });
    return failure.message;
  };
  expect(await refused([`${v1}/team/app:1`], "/ns")).toContain('found repository "ns/team/app", expected one or two');
  const same = [
    { reference: `${v1}/app:1`, name: "x:1" },
    { reference: `${v1}/app:2`, name: "x:1" },
  ];
  expect(await refused(same, "")).toMatch(/are both v1:\/\/.*\/library\/x:1, expected a name for each/);
  expect(await refused([`${v1}/app`], "/ns/app:1")).toContain("found more than a namespace");
  for (const option of [{ report: "r.csv" }, { verify: true }, { compression: "gzip" }, { platform: "linux/arm" }])
    expect(await refused([`${v1}/app`], "", option)).toContain(`Cannot use --${Object.keys(option)[0]}`);
  const shared = { registry: { ...registry, v1Endpoint: "e.lan" } };
  expect(await refused([`${v1}/app`], "", shared)).toContain("Cannot use --endpoint for");
  expect([from.requests, to.requests]).toEqual([[], []]);
});

it("sends credentials that were given for a call to one registry only, and refuses a copy between two before a request", async () => {
  const [v2, from, to] = [await ScriptedRegistry.start(), await V1Registry.start(), await V1Registry.start()];
  fillImage(from.content, "team/app", "1.0");
  const given = { ...registry, auth: { username: "adam", password: "secret" } };
  for (const source of [`${v2.host}/app:1`, `v1://${from.host}/team/app:1.0`]) {
    const failure = await failureOf(copy(source, `v1://${to.host}/team/app`, { registry: given }));
    expect(failure).toMatchObject({ exitCode: 2 });
    expect(failure.message).toContain("credentials were given for 127.0.0.1");
  }
  expect([v2.requests, from.requests, to.requests]).toEqual([[], [], []]);
});

it("tags and deletes in a v1 registry, and asks before", async () => {
  const server = await V1Registry.start();
  fillImage(server.content, "team/App", "1.0");
  const name = `v1://${server.host}/team/App`;
  expect(await tag(`${name}:1.0`, ["2.0"], { registry })).toEqual({ id: idOf("a"), references: [`${name}:2.0`] });
  const asked: object[] = [];
  const confirm = async (deletion: object): Promise<boolean> => asked.push(deletion) > 1;
  expect(await deleteImage(`${name}:1.0`, { registry, confirm })).toBeUndefined();
  expect(server.seen(/^DELETE/)).toEqual([]);
  const removed = { reference: `${name}:1.0`, removes: "tag", id: idOf("a") };
  expect(await deleteImage(`${name}:1.0`, { registry, confirm })).toEqual(removed);
  expect(await deleteImage(name, { registry, confirm })).toEqual({ reference: name, removes: "repository" });
  expect(asked).toEqual([removed, removed, { reference: name, removes: "repository" }]);
  expect(server.content.repositories.size).toBe(0);
  const failure = await failureOf(tag(`${name}:1.0`, ["other/app:2"], { registry }));
  expect(failure.message).toContain("expected a tag of the same repository");
});
