import { expect, test } from "vitest";
import { inspectionLines } from "../../../../../src/cli/output/inspection-lines.ts";
import { WHOLE } from "../../../../../src/cli/screen/view.ts";
import type { ProgressEvent } from "../../../../../src/content/progress.ts";
import type { NotFoundError } from "../../../../../src/errors.ts";
import { inspect } from "../../../../../src/verbs/inspect.ts";
import { blob } from "../../../../../src/verbs/query/blob.ts";
import { catalog } from "../../../../../src/verbs/query/catalog.ts";
import { config } from "../../../../../src/verbs/query/config.ts";
import { digest } from "../../../../../src/verbs/query/digest.ts";
import { exists } from "../../../../../src/verbs/query/exists.ts";
import { latest } from "../../../../../src/verbs/query/latest.ts";
import { manifest } from "../../../../../src/verbs/query/manifest.ts";
import { missingImages } from "../../../../../src/verbs/query/missing-images.ts";
import { ping } from "../../../../../src/verbs/query/ping.ts";
import { tags } from "../../../../../src/verbs/query/tags.ts";
import { verify } from "../../../../../src/verbs/verify.ts";
import { failureOf } from "../../../../support/canaries.ts";
import { fillImage } from "../../../../support/v1/fill-v1.ts";
import { V1Registry } from "../../../../support/v1/v1-registry.ts";

test("tags, exists and catalog ask a v1 registry; digest, manifest and blob say that v1 has no digests", async () => {
  const registry = await V1Registry.start({ isReadOnly: true });
  fillImage(registry.content, "Team/App", "1.0");
  fillImage(registry.content, "Team/App", "2.0");
  const app = `v1://${registry.host}/Team/App`;
  const list = async (text: string, sort?: "semver") => (await tags(text, { sort })).tags.map(({ tag }) => tag);
  expect(await list(app, "semver")).toEqual(["2.0", "1.0"]);
  expect(await list(`${app}:1.*`)).toEqual(["1.0"]);
  registry.content.repository("Team/App").tags.set("\u001b[2J", "x");
  const notes: unknown[] = [];
  const onProgress = (event: ProgressEvent): void => void notes.push(event);
  expect((await tags(app, { onProgress })).tags).toHaveLength(2);
  expect(notes).toEqual([{ kind: "note", message: '1 tag left out that no other registry takes: "\\u{1b}[2J"' }]);
  expect(await exists(`${app}:*`)).toBe(true);
  await expect(list(`${app}:9*`)).rejects.toMatchObject({ exitCode: 5 });
  expect([await exists(`${app}:1.0`), await exists(`${app}:3`)]).toEqual([true, false]);
  expect(await catalog(`v1://${registry.host}`)).toEqual({
    registry: `v1://${registry.host}`,
    repositories: ["Team/App"],
  });
  await expect(verify(`${app}:1.0`)).rejects.toMatchObject({
    exitCode: 2,
    hint: expect.stringMatching(/^Pull the image/) as unknown,
  });
  expect(registry.seen(/layer$/)).toEqual([]);
  await expect(latest(app)).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(/^Cannot find the latest image of "v1:.*found a v1 reference/) as unknown,
    hint: expect.stringMatching(/imgpack tags REF --sort semver/) as unknown,
  });
  const endpoint = { registry: { v1Endpoint: "ann:secret@e.lan:5000" } };
  await expect(exists(`${app}:1.0`, endpoint)).rejects.toMatchObject({
    exitCode: 2,
    message: "Cannot connect to registry: found user information, expected a host with or without a port",
  });
  for (const ask of [
    digest(`${app}:1.0`),
    manifest(`${app}:1.0`),
    blob(`${app}@sha256:${"a".repeat(64)}`, { output: "none" }),
  ].map(async asked => await failureOf(asked)))
    expect(await ask).toMatchObject({ exitCode: 2, hint: expect.stringMatching(/no digests/) as unknown });
});

test("a tag or repository that a v1 registry does not have: the hint names near tags, or where to look", async () => {
  const registry = await V1Registry.start({ isReadOnly: true });
  for (const tag of ["1.0", "1.1", "latest"]) fillImage(registry.content, "team/app", tag);
  const hintOf = async (name: string): Promise<unknown> =>
    await inspect(`v1://${registry.host}/${name}`).catch((error: unknown) => (error as NotFoundError).hint);
  expect(await hintOf("team/app:1.0.1")).toBe('team/app has the tags "1.0", "1.1", "latest".');
  expect(await hintOf("team/apps:1.0")).toContain(`"imgpack catalog v1://${registry.host}" lists the repositories`);
  const before = registry.requests.length;
  expect(await exists(`v1://${registry.host}/team/app:9`)).toBe(false);
  // It needs no explanation.
  expect(registry.seen(/tags$/)).toHaveLength(1);
  expect(registry.requests.length - before).toBe(2);
});

test("ping v1:// says what answers, whether it lists repositories, and whether an image is there", async () => {
  const registry = await V1Registry.start({ manner: "0.8", isReadOnly: true });
  fillImage(registry.content, "Team/App", "1.0");
  const host = `v1://${registry.host}`;
  expect(await ping(host)).toMatchObject({
    registry: host,
    url: `http://${registry.host}/v1/`,
    access: "granted",
    catalog: "yes",
    standalone: "yes",
  });
  expect(await ping(`${host}/Team/App:1.0`)).toMatchObject({ triedOn: `${host}/Team/App:1.0` });
  await expect(ping(`${host}/Team/App:9`)).rejects.toMatchObject({ exitCode: 5 });
  await expect(ping("v1+dir:/srv")).rejects.toMatchObject({ exitCode: 2 });
  registry.options = { search: "absent" };
  expect(await ping(host)).toMatchObject({ catalog: "no" });
  registry.options = { gone: 410 };
  await expect(ping(host)).rejects.toMatchObject({ exitCode: 8 });
});

test("ping v1:// of a repository that wants a login reports the refusal", async () => {
  const registry = await V1Registry.start({ hasIndex: true, user: { name: "adam", password: "canary" } });
  fillImage(registry.content, "team/app", "1.0");
  registry.content.repository("team/app").isPrivate = true;
  const host = `v1://${registry.host}`;
  expect(await ping(host)).toMatchObject({ access: "granted" });
  expect(await ping(`${host}/team/app`)).toMatchObject({ access: "refused", auth: "basic" });
});

test("exists with several v1:// references names those that are missing", async () => {
  const registry = await V1Registry.start({ isReadOnly: true });
  fillImage(registry.content, "team/app", "1.0");
  const app = `v1://${registry.host}/team/app`;
  const images = [`${app}:1.0`, `${app}:9`, `${app}:1.*`, `${app}:8*`];
  const { missing, present } = await missingImages(images);
  expect(missing.map(({ image }) => image)).toEqual([`${app}:9`, `${app}:8*`]);
  expect(present).toBe(2);
});

test("inspect and config of a v1 image read no layer, and config prints its JSON byte for byte", async () => {
  const registry = await V1Registry.start({ manner: "0.6", isReadOnly: true });
  const { ids } = fillImage(registry.content, "team/app", "1.0");
  const app = `v1://${registry.host}/team/app:1.0`;
  const inspection = await inspect(app);
  const [image] = inspection.images;
  expect(image).toMatchObject({
    names: [app],
    v1Id: ids.at(-1),
    platforms: [{ platform: "linux/amd64", created: "2015-11-03T22:13:20.123456789Z", runtime: { cmd: ["/file"] } }],
  });
  expect(image?.platforms[0]?.v1Layers?.map(({ id }) => id)).toEqual(ids);
  expect([...inspectionLines(inspection, WHOLE)].join("\n")).toMatch(
    /v1 ID +a{64}\nDigest +none until its layers are read/,
  );
  const { bytes } = await config(app);
  expect(Buffer.from(bytes)).toEqual(registry.content.image(ids.at(-1) ?? "").json);
  expect(registry.seen(/layer$/)).toEqual([]);
  await expect(inspect(`v1://${registry.host}/team/*`)).rejects.toMatchObject({ exitCode: 2 });
});
