import { readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { push } from "../../src/index.ts";
import { LayerShelf } from "../../src/verbs/v1/pull/layer-shelf.ts";
import { fileWith, temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { fast, inPieces, ordered, ownTemporaryFolder, pushBytes, tarLayer, WAYS } from "./push-once-support.ts";
import { expectStored } from "./push-support.ts";

/** Calls that can make files, with what they were called with. */
const writes: string[] = vi.hoisted(() => []);

vi.mock("node:fs/promises", async original => {
  const real = await original<typeof import("node:fs/promises")>();
  const watched = Object.fromEntries(
    (["writeFile", "appendFile", "mkdir", "mkdtemp", "rename", "copyFile", "cp"] as const).map(name => [
      name,
      (...args: readonly unknown[]) => {
        writes.push(`${name} ${String(args[0])}`);
        return Reflect.apply(real[name], real, args) as unknown;
      },
    ]),
  );
  const open: typeof real.open = async (path, flags, mode) => {
    const isRead = flags === undefined || flags === "r" || (typeof flags === "number" && (flags & 0o1103) === 0);
    if (!isRead) writes.push(`open ${String(path)}`);
    return await real.open(path, flags, mode);
  };
  return { ...real, ...watched, open };
});

ownTemporaryFolder();

const BIG = tarLayer("big", 9_500_000);
const SMALL = tarLayer("small");
const IMAGE = ordered([BIG, SMALL], [0, "m", 1]);

beforeEach(() => {
  writes.length = 0;
});

describe("push() and temporary files", () => {
  test.each(WAYS)("push() as %s with a tag opens nothing for writing", async way => {
    const registry = await ScriptedRegistry.start();
    const seen: string[] = [];
    const pushed = await pushBytes(registry, way, IMAGE, {
      tag: [`${registry.host}/app:1`],
      onProgress: event => {
        // The archive itself is made before the push begins.
        if (seen.length === 0) writes.length = 0;
        seen.push(event.kind);
      },
    });
    expectStored(pushed, [BIG, SMALL]);
    expect(seen.length).toBeGreaterThan(2);
    expect(writes).toEqual([]);
  });

  test("push() of a compressed file without a tag opens nothing for writing", async () => {
    const path = await fileWith(fast(IMAGE));
    const registry = await ScriptedRegistry.start();
    writes.length = 0;
    await push([path], { registry: registry.host });
    expect(writes).toEqual([]);
    expect(registry.content.manifests.has("app:1")).toBe(true);
  });

  test("push() from a pipe without a tag keeps layers in one file that has no name", async () => {
    const folder = await temporaryFolder();
    vi.stubEnv("TMPDIR", folder);
    try {
      const registry = await ScriptedRegistry.start();
      writes.length = 0;
      const names = new Set<string>();
      const open = new Set<string>();
      let note = "";
      await push(["-"], {
        registry: registry.host,
        stdin: inPieces(IMAGE),
        onProgress: event => {
          if (event.kind === "note") note += event.message;
          for (const name of readdirSync(folder)) names.add(name);
          for (const fd of readdirSync("/proc/self/fd")) {
            const target = linkOf(`/proc/self/fd/${fd}`);
            if (target.startsWith(folder)) open.add(target);
          }
        },
      });
      expect(names).toEqual(new Set());
      expect([...open]).toEqual([expect.stringMatching(/imgpack-[0-9a-f]{24} \(deleted\)$/)]);
      expect(writes).toEqual([expect.stringMatching(/^open .*imgpack-[0-9a-f]{24}$/)]);
      expect(note).toContain(folder);
      expect(
        readdirSync("/proc/self/fd")
          .map(fd => linkOf(`/proc/self/fd/${fd}`))
          .join("\n"),
      ).not.toContain(folder);
      expect(registry.content.manifests.has("app:1")).toBe(true);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test("push() says what to do when the folder for temporary files is not there", async () => {
    const folder = join(await temporaryFolder(), "gone");
    vi.stubEnv("TMPDIR", folder);
    try {
      const registry = await ScriptedRegistry.start();
      const stdin = inPieces(IMAGE);
      const pushing = push(["-"], { registry: registry.host, stdin });
      await expect(pushing).rejects.toMatchObject({
        code: "ERR_STORAGE",
        message: expect.stringContaining(`Cannot keep layers in "${folder}": no such folder`) as string,
        hint: expect.stringContaining("--tag") as string,
      });
      expect(stdin.destroyed).toBe(true);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test("a pull of v1 layers that finds no folder for temporary files does not name --tag, which it does not have", async () => {
    vi.stubEnv("TMPDIR", join(await temporaryFolder(), "gone"));
    try {
      await using shelf = new LayerShelf(() => undefined);
      await expect(shelf.announce("a test")).rejects.toMatchObject({
        code: "ERR_STORAGE",
        hint: "Set TMPDIR to another folder.",
      });
    } finally {
      vi.unstubAllEnvs();
    }
  });
});

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
