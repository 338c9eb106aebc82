import { expect, test } from "vitest";
import {
  catalog,
  config,
  copy,
  copyTo,
  deleteImage,
  exists,
  inspectImage,
  latest,
  lock,
  missingImages,
  ping,
  pull,
  push,
  tag,
  tags,
} from "../../../../src/index.ts";
import { ScriptedRegistry } from "../../../support/scripted-registry.ts";
import { fillImage } from "../../../support/v1/fill-v1.ts";
import { V1Registry } from "../../../support/v1/v1-registry.ts";

const HOST = "127.0.0.1:1";
const APP = `${HOST}/team/app:1`;

test.each([
  ["--v1-path", { v1Path: "/artifactory" }],
  ["--endpoint", { v1Endpoint: "r.lan" }],
] as const)("%s is refused where no reference is of a v1 registry: it was ignored", async (name, registry) => {
  const calls: Readonly<Record<string, () => Promise<unknown>>> = {
    pull: async () => await pull([APP], { output: "/nonexistent/o.tar", registry }),
    lock: async () => await lock([APP], { registry }),
    copy: async () => await copy(APP, `${HOST}/other`, { registry }),
    copyTo: async () => await copyTo([APP], HOST, { registry }),
    push: async () => await push(["/nonexistent/o.tar"], { to: HOST, registry }),
    inspect: async () => await inspectImage(APP, { registry }),
    tags: async () => await tags(`${HOST}/team/app`, { registry }),
    latest: async () => await latest(`${HOST}/team/app`, { registry }),
    exists: async () => await exists(APP, { registry }),
    missingImages: async () => await missingImages([APP], { registry }),
    config: async () => await config(APP, { registry }),
    ping: async () => await ping(HOST, { registry }),
    catalog: async () => await catalog(HOST, { registry }),
    delete: async () => await deleteImage(APP, { registry, confirm: async () => false }),
    tag: async () => await tag(APP, ["2"], { registry }),
  };
  const message = `Cannot use ${name}: it is for v1 registries, expected references such as v1://HOST/**`;
  for (const [verb, call] of Object.entries(calls))
    await expect(call(), verb).rejects.toMatchObject({ name: "UsageError", message });
});

test("--v1-path counts for the v1 registry of a copy to or from another registry", async () => {
  const path = "/artifactory/api/docker/old";
  const old = await V1Registry.start({ path });
  const target = await ScriptedRegistry.start();
  fillImage(old.content, "team/app", "1");
  await copyTo([`v1://${old.host}/team/app:1`], target.host, { registry: { v1Path: path } });
  await copy(`${target.host}/team/app:1`, `v1://${old.host}/back/app`, { registry: { v1Path: path } });
  expect(old.content.repositories.get("back/app")?.tags.has("1")).toBe(true);
});
