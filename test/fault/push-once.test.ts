import { describe, expect, test } from "vitest";
import { sha256 } from "../support/memory-registry.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { tarArchive, tarEntry } from "../support/tar-builder.ts";
import { fixture, imagesOf, ordered, ownTemporaryFolder, pushBytes, tarLayer, WAYS } from "./push-once-support.ts";
import { expectStored, type Pushed } from "./push-support.ts";

ownTemporaryFolder();

const LAYERS = [tarLayer("base", 1_200_000), tarLayer("middle"), tarLayer("top")];

/** The push of the plain archive, which all others are compared with. */
let plainly: Promise<Pushed> | undefined;

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
      plainly ??= pushBytes(await ScriptedRegistry.start(), "plain", ordered(LAYERS, [0, 1, 2, "m"]));
      const plain = await plainly;
      for (const isTagged of [false, true]) {
        const registry = await ScriptedRegistry.start();
        const tags = isTagged ? { tag: [`${registry.host}/app:1`] } : {};
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
      const tags = isTagged ? { tag: [`${registry.host}/app:1`] } : {};
      const pushed = await pushBytes(registry, way, bytes, tags);
      expectStored(pushed, [layer, layer]);
      expect(registry.seen(/^PUT .*\/uploads\//)).toHaveLength(2);
    });
  });

  test("push() without --tag reports that it reads the archive twice, or where it keeps layers", async () => {
    const notesOf = async (way: (typeof WAYS)[number], isTagged: boolean): Promise<readonly string[]> => {
      const notes: string[] = [];
      const registry = await ScriptedRegistry.start();
      await pushBytes(registry, way, ordered(LAYERS, [0, 1, 2, "m"]), {
        ...(isTagged ? { tag: [`${registry.host}/app:1`] } : {}),
        onProgress: event => void (event.kind === "note" && notes.push(event.message)),
      });
      return notes;
    };
    expect(await notesOf("gzip", true)).toEqual([]);
    expect(await notesOf("pipe", true)).toEqual([]);
    expect(await notesOf("gzip", false)).toEqual([expect.stringContaining("Reading the archive twice")]);
    expect(await notesOf("pipe", false)).toEqual([
      expect.stringMatching(/^Keeping compressed layers in a temporary file .* --tag /),
    ]);
  });

  test.each(["hello.tar.gz", "hello.tar.zst", "hello.tar.xz", "hello.tar.bz2"])(
    "push() gives %s the same digests as a file and through a pipe, with a tag and without",
    async name => {
      const bytes = await fixture(name);
      const plain = await pushBytes(await ScriptedRegistry.start(), "plain", await fixture("docker20-hello.tar"));
      const found = new Set<string>();
      for (const way of ["plain", "pipe"] as const) {
        for (const isTagged of [false, true]) {
          const registry = await ScriptedRegistry.start();
          const tags = isTagged ? { tag: [`${registry.host}/hello:latest`] } : {};
          const pushed = await pushBytes(registry, way, bytes, tags);
          expect(pushed.error?.message).toBeUndefined();
          found.add(JSON.stringify(imagesOf(pushed)));
        }
      }
      expect([...found]).toEqual([JSON.stringify(imagesOf(plain))]);
    },
  );
});
