// `v1+dir:FOLDER` takes every command that reads `v1://HOST`, except `ping`: the same images are read from both.
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ImgpackError } from "../../../../../src/errors.ts";
import { copyTo } from "../../../../../src/index.ts";
import { inspect } from "../../../../../src/verbs/inspect.ts";
import { pull } from "../../../../../src/verbs/pull.ts";
import { catalog } from "../../../../../src/verbs/query/catalog.ts";
import { config } from "../../../../../src/verbs/query/config.ts";
import { exists } from "../../../../../src/verbs/query/exists.ts";
import { tags } from "../../../../../src/verbs/query/tags.ts";
import { failureOf } from "../../../../support/canaries.ts";
import { seededBytes, temporaryFolder } from "../../../../support/images.ts";
import { ScriptedRegistry } from "../../../../support/scripted-registry.ts";
import { filesTar } from "../../../../support/shape-archives-parts.ts";
import { fillImage, idOf } from "../../../../support/v1/fill-v1.ts";
import { TestV1Folder } from "../../../../support/v1/v1-folder.ts";
import { V1Registry } from "../../../../support/v1/v1-registry.ts";

const LAYERS = ["a", "b"].map(seed => filesTar([[seed, seededBytes(seed, 100 * 1024)]]));

test("a storage folder gives what a registry with the same images gives, by every command that reads", async () => {
  await using folder = await TestV1Folder.create();
  await folder.addImage("team/app", "1.0", "ab", LAYERS);
  const old = await V1Registry.start({ isReadOnly: true });
  for (const [index, digit] of ["a", "b"].entries()) {
    const json = await readFile(join(folder.path, `images/${idOf(digit)}/json`));
    const parent = index === 0 ? {} : { parent: idOf("a") };
    old.content.addImage({ id: idOf(digit), layer: LAYERS[index] ?? Buffer.alloc(0), json, ...parent });
  }
  old.content.addTag("team/app", "1.0", idOf("b"));
  const scratch = await temporaryFolder();
  const results = [];
  for (const [kind, store, image] of [
    ["folder", `v1+dir:${folder.path}`, `v1+dir:${folder.path}//team/app`],
    ["registry", `v1://${old.host}`, `v1://${old.host}/team/app`],
  ] as const) {
    const output = join(scratch, `${kind}.tar`);
    const pulled = await pull([`${image}:1.0`], { output });
    const target = await ScriptedRegistry.start();
    const copied = await copyTo([`${store}${kind === "folder" ? "//" : "/"}**`], target.host, {});
    results.push({
      catalog: (await catalog(store)).repositories,
      tags: (await tags(image)).tags.map(({ tag }) => tag),
      exists: [await exists(`${image}:1.0`), await exists(`${image}:2.0`)],
      config: (await config(`${image}:1.0`)).bytes,
      inspect: (await inspect(`${image}:1.0`)).images.map(({ platforms }) => platforms),
      blobs: [pulled.blobs, pulled.blobBytes, pulled.images.map(({ digest }) => digest)],
      copied: [copied.images.length, [...target.content.blobs.keys()].sort()],
    });
  }
  expect(results[0]).toEqual(results[1]);
  expect(results[0]).toMatchObject({ catalog: ["team/app"], tags: ["1.0"], exists: [true, false] });
});

test("a part that a registry or a storage folder has lost: the error says where to look for it", async () => {
  await using folder = await TestV1Folder.create();
  const old = await V1Registry.start({ isReadOnly: true });
  const output = join(await temporaryFolder(), "out.tar");
  await folder.addImage("team/app", "1.0", "ab", LAYERS);
  fillImage(old.content, "team/app", "1.0", "ab");
  const hintsOf = async (): Promise<unknown> =>
    await Promise.all(
      [`v1+dir:${folder.path}//team/app:1.0`, `v1://${old.host}/team/app:1.0`].map(async reference => {
        const { exitCode, hint } = (await failureOf(
          pull([reference], { output: `${output}${reference.length}` }),
        )) as ImgpackError;
        return { exitCode, isHelped: /backup of its storage/.test(hint ?? "") };
      }),
    );
  const lost = { exitCode: 5, isHelped: true };
  await rm(join(folder.path, `images/${idOf("a")}/layer`));
  old.content.image(idOf("a")).layer = undefined;
  expect(await hintsOf()).toEqual([lost, lost]);
  await rm(join(folder.path, `images/${idOf("b")}/ancestry`));
  old.content.images.delete(idOf("b"));
  expect(await hintsOf()).toEqual([lost, lost]);
});
