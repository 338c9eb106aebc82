// Commands that read from a host of the years before v2 say how to reach it, for one request more.
import { expect, test } from "vitest";
import type { OnProgress } from "../../../../src/content/progress.ts";
import {
  catalog,
  exists,
  inspectImage,
  latest,
  login,
  matchImages,
  missingImages,
  tags,
} from "../../../../src/index.ts";
import { failureOf } from "../../../support/canaries.ts";
import { temporaryFolder } from "../../../support/images.ts";
import { ScriptedRegistry } from "../../../support/scripted-registry.ts";
import { fillImage } from "../../../support/v1/fill-v1.ts";
import { V1Registry } from "../../../support/v1/v1-registry.ts";

test("a host that speaks v1 only is named as v1:// in the hint of each command", async () => {
  const server = await V1Registry.start();
  fillImage(server.content, "team/app", "1");
  const { host } = server;
  const home = await temporaryFolder();
  const calls: readonly (readonly [string, () => Promise<unknown>])[] = [
    [`write v1://${host}.`, async () => await catalog(host)],
    [`write v1://${host}.`, async () => await matchImages([`${host}/**`])],
    [`write v1://${host}/team/app.`, async () => await matchImages([`${host}/team/app:*`])],
    [`write v1://${host}/team/app.`, async () => await tags(`${host}/team/app`)],
    [`write v1://${host}/team/app.`, async () => await latest(`${host}/team/app`)],
    [`write v1://${host}/team/app:1.`, async () => await inspectImage(`${host}/team/app:1`)],
    [
      `run "imgpack hub login v1://${host}".`,
      async () => await login(host, { username: "a", password: "b", home, env: {} }),
    ],
  ];
  for (const [advice, call] of calls) {
    server.requests.length = 0;
    expect(await failureOf(call())).toMatchObject({ exitCode: 5, hint: `${host} speaks v1: ${advice}` });
    expect(server.seen(/\/v1\//)).toHaveLength(1);
  }
  const notes: string[] = [];
  const onProgress: OnProgress = event => void (event.kind === "note" && notes.push(event.message));
  expect(await exists(`${host}/team/app:1`, { onProgress })).toBe(false);
  expect(await missingImages([`${host}/team/app:1`, `${host}/team/app:2`], { onProgress })).toMatchObject({
    present: 0,
  });
  expect(notes).toEqual([
    `Not there: ${host}/team/app:1`,
    `${host} speaks v1: write v1://${host}/team/app:1.`,
    `${host} speaks v1: write v1://${host}/….`,
  ]);
});

test("a v2 registry is not asked for v1", async () => {
  const server = await ScriptedRegistry.start();
  expect(await exists(`${server.host}/team/app:1`)).toBe(false);
  expect(await missingImages([`${server.host}/team/app:1`])).toMatchObject({ present: 0 });
  expect(server.seen(/v1/)).toEqual([]);
});
