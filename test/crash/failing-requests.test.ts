import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { copy, ImgpackError, pull, push } from "../../src/index.ts";
import { watchOperations } from "../../src/util/operation-hook.ts";
import { dockerArchive, fileWith, seededBytes, storeImage, temporaryFolder } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";

vi.mock("node:timers/promises", async () => await import("../support/instant-waits.ts"));

const MIB = 1024 * 1024;
/** One comes over a bulk connection, one over an ordinary one. */
const LAYERS = [Buffer.alloc(2 * MIB + 17, seededBytes("big", 4099)), seededBytes("small", 10_000)];

/** The request never leaves; its answer is lost; or nothing works any more. */
type Fault = "reset" | "lost" | "down";
const FAULTS: readonly Fault[] = ["reset", "lost", "down"];

interface Scene {
  readonly work: () => Promise<unknown>;
  /** @param isDone whether the work is; else it must not look so. */
  readonly check: (isDone: boolean, where: string) => Promise<void>;
  readonly registries: readonly ScriptedRegistry[];
}

const scenes: Readonly<Record<string, () => Promise<Scene>>> = {
  async pull() {
    const registry = await ScriptedRegistry.start();
    const { layers } = storeImage(registry.content, LAYERS);
    const folder = await temporaryFolder();
    const output = join(folder, "out/");
    return {
      registries: [registry],
      work: async () => await pull([`${registry.host}/app:1`], { output, platform: ["linux/amd64"] }),
      async check(isDone, where) {
        expect((await readdir(folder)).includes("out"), where).toBe(isDone);
        if (!isDone) return;
        const blobs = await readdir(join(output, "blobs", "sha256"));
        expect(blobs, where).toEqual(expect.arrayContaining(layers.map(({ digest }) => digest.slice(7))));
      },
    };
  },
  async push() {
    const registry = await ScriptedRegistry.start();
    const archive = await fileWith(dockerArchive({ layers: LAYERS, tags: ["app:1"] }));
    return {
      registries: [registry],
      work: async () => await push([archive], { to: registry.host }),
      check: holds(registry),
    };
  },
  async copy() {
    const [from, to] = [await ScriptedRegistry.start(), await ScriptedRegistry.start()];
    storeImage(from.content, LAYERS);
    const work = async (): Promise<unknown> => await copy(`${from.host}/app:1`, `${to.host}/app:1`, {});
    return { registries: [from, to], work, check: holds(to) };
  },
};

/** The tag is there only with all that it needs. */
function holds({ content }: ScriptedRegistry): Scene["check"] {
  return async (isDone, where) => {
    const tagged = content.manifests.get("app:1");
    expect(tagged !== undefined, where).toBe(isDone);
    if (tagged === undefined) return;
    const { config, layers } = JSON.parse(tagged.bytes.toString());
    for (const { digest } of [config, ...layers]) {
      expect(content.blobs.has(digest), where).toBe(true);
      expect(sha256(content.blobs.get(digest) ?? Buffer.alloc(0)), where).toBe(digest);
    }
  };
}

/** Runs `work`; disturbs its request number `at`. @returns requests made, and the error. */
async function disturbed(
  work: () => Promise<unknown>,
  fault?: Fault,
  at = -1,
): Promise<{ readonly requests: number; readonly error: unknown }> {
  let requests = 0;
  const broken = (): Error =>
    fault === "down"
      ? Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED", syscall: "connect" })
      : Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET", syscall: "read" });
  watchOperations(async (operation, run) => {
    if (operation.kind !== "request") return await run();
    const index = requests;
    requests += 1;
    if (fault === undefined || index < at || (fault !== "down" && index > at)) return await run();
    if (fault === "lost") {
      const { body } = Object(await run()) as { readonly body?: { dump?: () => Promise<void> } };
      await body?.dump?.();
    }
    throw broken();
  });
  try {
    await work();
    return { requests, error: undefined };
  } catch (error) {
    return { requests, error };
  } finally {
    watchOperations(undefined);
  }
}

describe("a request that fails", { timeout: 300_000 }, () => {
  let points = 0;
  afterAll(() => console.log(`failing requests: ${points} points, every run or the next one succeeded`));

  test.each(Object.keys(scenes))(
    "costs a %s one more attempt; a registry that is gone, a clear error and a second run",
    async verb => {
      const anew = scenes[verb];
      if (anew === undefined) throw new Error(verb);
      const undisturbed = await anew();
      const { requests, error: none } = await disturbed(undisturbed.work);
      expect(none).toBeUndefined();
      await undisturbed.check(true, "undisturbed");
      expect(requests).toBeGreaterThan(3);
      for (let at = 0; at < requests; at += 1) {
        for (const fault of FAULTS) {
          points += 1;
          const where = `${fault} at request ${at} of ${verb}`;
          const scene = await anew();
          const { error } = await disturbed(scene.work, fault, at);
          if (fault === "down") {
            expect(error, where).toBeInstanceOf(ImgpackError);
            expect(error, where).toMatchObject({ exitCode: 7, message: expect.stringContaining("connection refused") });
            await scene.check(false, where);
            expect((await disturbed(scene.work)).error, where).toBeUndefined();
          } else expect(error, where).toBeUndefined();
          await scene.check(true, where);
          for (const registry of scene.registries) await registry.close();
        }
      }
    },
  );
});
