import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { inspect } from "../../src/index.ts";
import { fileWith } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { shapeArchives } from "../support/shape-archives.ts";
import { fixture, imagesOf, ownTemporaryFolder, pushBytes, WAYS, type Way } from "./push-once-support.ts";

ownTemporaryFolder();

/** By every way what a plain file gives: the same digests, with the archive's names or with a tag, or the same refusal. */
async function expectSameByEveryWay(bytes: Uint8Array, ways: readonly Way[] = WAYS): Promise<void> {
  const [first, isNamed] = await firstImage(bytes);
  for (const isTagged of isNamed ? [false, true] : [true]) {
    const found: string[] = [];
    for (const way of ways) {
      const registry = await ScriptedRegistry.start();
      const chosen = isTagged ? { tag: [`${registry.host}/app:1`], image: [first] } : {};
      const pushed = await pushBytes(registry, way, bytes, chosen);
      const refused = pushed.error?.message.replace(/archive (?:"[^"]*"|on stdin)/, "ARCHIVE");
      found.push(JSON.stringify([refused ?? imagesOf(pushed), [...registry.content.manifests.keys()].sort()]));
    }
    expect(found[0]).toMatch(/@sha256:|Cannot (?:read|accept)/);
    expect(found).toEqual(found.map(() => found[0]));
  }
}

/** Its digest, and whether all images have names. */
async function firstImage(bytes: Uint8Array): Promise<readonly [digest: string, isNamed: boolean]> {
  try {
    const { images } = await inspect(await fileWith(bytes));
    const [first] = images;
    return [first?.digest ?? first?.platforms[0]?.config ?? "", images.every(({ names }) => names.length > 0)];
  } catch {
    return ["sha256:".padEnd(71, "0"), true];
  }
}

describe("push() of every archive there is", () => {
  const names = readdirSync(new URL("../../fixtures", import.meta.url)).filter(name => name.endsWith(".tar"));

  test.each(names)("push() gives %s the same digests by every way", async name => {
    await expectSameByEveryWay(await fixture(name));
  });

  // The registry of these tests knows sha256 only.
  test.each(shapeArchives().filter(({ name }) => !name.includes("sha512")))(
    "push() gives the shape $name the same digests, or the same refusal, by every way",
    async ({ bytes }) => {
      await expectSameByEveryWay(bytes, bytes[0] === 0x1f ? ["plain", "pipe"] : WAYS);
    },
  );
});
