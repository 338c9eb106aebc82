// Images that need a blob which another image is sending wait for it. All others go ahead meanwhile.
import { join } from "node:path";
import { expect, test } from "vitest";
import { copyTo, pull, push } from "../../src/index.ts";
import { deferred } from "../../src/util/promises.ts";
import { seededBytes, temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { putImage } from "../unit/verbs/query/listed-registry.ts";
import { sentBlobs, tagsOf } from "./shards-support.ts";

/** More than a call works on at once. */
const WAITING = 20;
const OTHERS = 4;
const BASE = seededBytes("base", 40_000);

async function startSource(): Promise<{ readonly sources: readonly string[] }> {
  const { content, host } = await ScriptedRegistry.start();
  const names = Array.from({ length: WAITING + OTHERS }, (_, image) => {
    const name = image < WAITING ? `based-${image}:1` : `other-${image}:1`;
    const own = seededBytes(name, 500);
    putImage(content, [name], {
      layers: image < WAITING ? [BASE, own] : [own],
      created: `2026-01-01T00:00:${String(image % 60).padStart(2, "0")}Z`,
    });
    return name;
  });
  return { sources: names.map(name => `${host}/${name}`) };
}

/** A target that answers the upload of the base when all others have their tags. */
async function startTarget(): Promise<ScriptedRegistry> {
  const { promise, resolve } = deferred<void>();
  const to = await ScriptedRegistry.start();
  const isBase = ({ headers }: { readonly headers: NodeJS.Dict<string | string[]> }): boolean =>
    headers["content-length"] === String(BASE.length);
  to.addFault({ on: /^PUT .*\/blobs\/uploads\//, when: isBase, held: promise });
  let left = OTHERS;
  to.addFault({
    on: /^PUT .*\/other-\d+\/manifests\/1$/,
    times: OTHERS,
    onRequest: () => {
      left -= 1;
      if (left === 0) resolve();
    },
  });
  return to;
}

function expectWhole(to: ScriptedRegistry): void {
  const tags = tagsOf(to.content);
  expect(tags).toHaveLength(WAITING + OTHERS);
  expect(tags.filter(tag => tag.includes("without"))).toEqual([]);
  expect(sentBlobs(to).filter(({ bytes }) => bytes === BASE.length)).toHaveLength(1);
}

test.each([undefined, 1, 4])("copyTo() with concurrency %s", async concurrency => {
  const [{ sources }, to] = [await startSource(), await startTarget()];
  // With one at once, the order decides.
  const ordered = concurrency === 1 ? sources.toReversed() : sources;
  await copyTo(ordered, to.host, { concurrency });
  expectWhole(to);
});

test("push()", async () => {
  const [{ sources }, to] = [await startSource(), await startTarget()];
  const output = join(await temporaryFolder(), "site.tar");
  await pull(sources, { output });
  await push([output], { to: to.host, compression: "keep" });
  expectWhole(to);
});
