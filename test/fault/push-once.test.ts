import { readdirSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import { inspect } from "../../src/index.ts";
import { fileWith } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { shapeArchives } from "../support/shape-archives.ts";
import { tarArchive, tarEntry } from "../support/tar-builder.ts";
import { fixture, imagesOf, ordered, pushBytes, tarLayer, WAYS, type Way } from "./push-once-support.ts";
import { expectStored, type Pushed } from "./push-support.ts";

vi.mock("node:timers/promises", async original => ({
  ...(await original<object>()),
  ...(await import("../support/instant-waits.ts")),
}));

const LAYERS = [tarLayer("base", 1_200_000), tarLayer("middle"), tarLayer("top")];

/** Blobs and manifests, by digest. */
function contentOf({ registry }: Pushed): readonly string[] {
  const { blobs, manifests } = registry.content;
  return [...new Set([...blobs.keys(), ...manifests.keys()])].sort();
}

describe("push() of what is read from beginning to end", () => {
  describe.each(WAYS)("as %s", way => {
    test.each<[string, readonly ("m" | number)[]]>([
      ["first", ["m", 0, 1, 2]],
      ["last", [2, 1, 0, "m"]],
      ["in the middle", [0, "m", 2, 1]],
    ])("push() gives the same image with the metadata %s", async (_where, order) => {
      const plain = await pushBytes(await ScriptedRegistry.start(), "plain", ordered(LAYERS, [0, 1, 2, "m"]));
      for (const isTagged of [false, true]) {
        const registry = await ScriptedRegistry.start();
        const tags = isTagged ? { tags: [`${registry.host}/app:1`] } : {};
        const pushed = await pushBytes(registry, way, ordered(LAYERS, order), tags);
        expectStored(pushed, LAYERS);
        expect(imagesOf(pushed)).toEqual(imagesOf(plain));
        expect(contentOf(pushed)).toEqual(contentOf(plain));
      }
    });

    test.each([false, true])("push() follows a link to a layer behind it, tagged: %s", async isTagged => {
      const layer = tarLayer("linked", 1_200_000);
      const link = tarEntry({ name: "0/layer.tar", type: "2", linkName: "../real/layer.tar" });
      const names = ["0/layer.tar", "real/layer.tar"];
      const config = JSON.stringify({
        architecture: "amd64",
        os: "linux",
        rootfs: { type: "layers", diff_ids: [sha256(layer), sha256(layer)] },
      });
      const manifest = JSON.stringify([{ Config: "config.json", RepoTags: ["app:1"], Layers: names }]);
      const bytes = tarArchive([
        link,
        tarEntry({ name: "config.json", body: config }),
        tarEntry({ name: "manifest.json", body: manifest }),
        tarEntry({ name: "real/layer.tar", body: layer }),
      ]);
      const registry = await ScriptedRegistry.start();
      const tags = isTagged ? { tags: [`${registry.host}/app:1`] } : {};
      const pushed = await pushBytes(registry, way, bytes, tags);
      expectStored(pushed, [layer, layer]);
      expect(registry.seen(/^PUT .*\/uploads\//)).toHaveLength(2);
    });
  });

  test("push() without --tag says that the archive is read twice, or where layers are kept", async () => {
    const notesOf = async (way: (typeof WAYS)[number], isTagged: boolean): Promise<readonly string[]> => {
      const notes: string[] = [];
      const registry = await ScriptedRegistry.start();
      await pushBytes(registry, way, ordered(LAYERS, [0, 1, 2, "m"]), {
        ...(isTagged ? { tags: [`${registry.host}/app:1`] } : {}),
        onProgress: event => void (event.kind === "note" && notes.push(event.message)),
      });
      return notes;
    };
    expect(await notesOf("gzip", true)).toEqual([]);
    expect(await notesOf("pipe", true)).toEqual([]);
    expect(await notesOf("gzip", false)).toEqual([expect.stringContaining("read twice")]);
    expect(await notesOf("pipe", false)).toEqual([expect.stringMatching(/^Layers are kept compressed .* --tag /)]);
  });
});

/** By every way what a plain file gives: the same digests, with the archive's names or with a tag, or the same refusal. */
async function expectSameByEveryWay(bytes: Uint8Array, ways: readonly Way[] = WAYS): Promise<void> {
  const [first, isNamed] = await firstImage(bytes);
  for (const isTagged of isNamed ? [false, true] : [true]) {
    const found: string[] = [];
    for (const way of ways) {
      const registry = await ScriptedRegistry.start();
      const chosen = isTagged ? { tags: [`${registry.host}/app:1`], images: [first] } : {};
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

  test.each(["hello.tar.gz", "hello.tar.zst", "hello.tar.xz", "hello.tar.bz2"])(
    "push() gives %s the same digests as a file and through a pipe, with a tag and without",
    async name => {
      const bytes = await fixture(name);
      const plain = await pushBytes(await ScriptedRegistry.start(), "plain", await fixture("docker20-hello.tar"));
      const found = new Set<string>();
      for (const way of ["plain", "pipe"] as const) {
        for (const isTagged of [false, true]) {
          const registry = await ScriptedRegistry.start();
          const tags = isTagged ? { tags: [`${registry.host}/hello:latest`] } : {};
          const pushed = await pushBytes(registry, way, bytes, tags);
          expect(pushed.error?.message).toBeUndefined();
          found.add(JSON.stringify(imagesOf(pushed)));
        }
      }
      expect([...found]).toEqual([JSON.stringify(imagesOf(plain))]);
    },
  );
});
