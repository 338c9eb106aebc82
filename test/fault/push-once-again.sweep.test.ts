import { describe, expect, test } from "vitest";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { ordered, ownTemporaryFolder, pushBytes, tarLayer, WAYS } from "./push-once-support.ts";
import { expectStored } from "./push-support.ts";

ownTemporaryFolder();

const BIG = tarLayer("big", 9_500_000);
const SMALL = tarLayer("small");
const IMAGE = ordered([BIG, SMALL], [0, "m", 1]);

describe("push() to several registries", () => {
  test.each(WAYS)("push() as %s with tags of two registries pushes to both, or says why not", async way => {
    const [one, two] = [await ScriptedRegistry.start(), await ScriptedRegistry.start()];
    const pushed = await pushBytes(one, way, IMAGE, { tag: [`${one.host}/app:1`, `${two.host}/app:1`] });
    if (way.endsWith("pipe") && pushed.error !== undefined) {
      expect(pushed.error.message).toMatch(/already read past it/);
      return;
    }
    expectStored({ ...pushed, registry: one }, [BIG, SMALL]);
    expectStored({ ...pushed, registry: two }, [BIG, SMALL]);
  });

  test.each(WAYS)(
    "push() as %s with tags of two repositories pushes to both where blobs cannot be mounted",
    async way => {
      const registry = await ScriptedRegistry.start();
      const right = registry.content.answer.bind(registry.content);
      registry.content.answer = (method, url, headers, body) => {
        const other = url.startsWith("/v2/other/") && method !== "POST" && !/manifests|uploads/.test(url);
        if (other && registry.seen(/^PUT \/v2\/other\/blobs/).length === 0)
          return { status: 404, headers: {}, body: Buffer.alloc(0) };
        return right(method, url.replace(/\?mount=.*/, ""), headers, body);
      };
      const tags = [`${registry.host}/app:1`, `${registry.host}/other:1`];
      const pushed = await pushBytes(registry, way, IMAGE, { tag: tags });
      if (way.endsWith("pipe") && pushed.error !== undefined) {
        expect(pushed.error.message).toMatch(/already read past it/);
        return;
      }
      expect(pushed.error?.message).toBeUndefined();
      expect(registry.content.manifests.has("other:1")).toBe(true);
    },
  );
});
