import { mkdir, readdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { EXIT_CODES } from "../../../src/errors.ts";
import { nameHash } from "../../../src/serve/folder/repository-folder.ts";
import type { ServeEvent } from "../../../src/serve/serve-event.ts";
import { serveRegistry } from "../../../src/serve/server.ts";
import { makeFolder, pushBlob, pushImage, send, start } from "./registry-client.ts";

const MARKER = "imgpack-registry";
const UPLOAD = "imgpack-upload-7f7a1b9e-0000-4000-8000-000000000000";

describe("the folder of a store", () => {
  test.each([
    ["uploads/7f7a1b9e-0000-4000-8000-000000000000"],
    ["uploads/imgpack-upload-7f7a1b9e-0000-4000-8000-000000000000"],
    ["uploads/imgpack-upload-7f7a1b9e-0000-4000-8000-000000000000", "lock"],
    ["holiday.jpg"],
    ["imgpack-registry", "holiday.jpg"],
    ["blobs/sha256/ab", "repositories/x"],
  ])("that is not ours is refused, and no file in it is removed: %s", async (...files) => {
    const folder = await makeFolder();
    for (const file of files) {
      await mkdir(join(folder, file, ".."), { recursive: true });
      await writeFile(join(folder, file), "");
    }
    const before = (await readdir(folder, { recursive: true })).sort();
    await expect(serveRegistry({ store: folder })).rejects.toMatchObject({
      exitCode: EXIT_CODES.storage,
      message: expect.stringContaining("expected an empty folder or a store"),
    });
    expect((await readdir(folder, { recursive: true })).sort()).toEqual(before);
  });

  test("of another version is refused and keeps its uploads", async () => {
    const store = await makeFolder();
    await mkdir(join(store, "uploads"));
    await writeFile(join(store, MARKER), "1\n");
    const upload = "imgpack-upload-7f7a1b9e-0000-4000-8000-000000000000";
    await writeFile(join(store, "uploads", upload), "half");
    await expect(serveRegistry({ store })).rejects.toThrow('found a store of version "1", expected');
    expect(await readdir(join(store, "uploads"))).toEqual([upload]);
  });

  test.each(["", "\0\0"])("whose first start was interrupted is taken over: marker %j", async marker => {
    const store = await makeFolder();
    await mkdir(join(store, "lost+found"));
    await writeFile(join(store, MARKER), marker);
    await pushBlob(await start({ store }), "app", "hello");
    expect(await readFile(join(store, MARKER), "utf8")).toBe("2\n");
  });
});

describe("a symbolic link in a store", () => {
  test.each(["uploads", "blobs", "repositories", "blobs/sha256", "blobs/sha256/2c"])(
    "%s is refused, and nothing is swept or written through it",
    async part => {
      const store = await makeFolder();
      const first = await start({ store });
      await pushBlob(first, "app", "hello");
      await first.close();
      const elsewhere = join(await makeFolder(), "elsewhere");
      await rename(join(store, part), elsewhere);
      await writeFile(join(elsewhere, UPLOAD), "not ours");
      await symlink(elsewhere, join(store, part));
      const before = (await readdir(elsewhere, { recursive: true })).sort();
      await expect(serveRegistry({ store })).rejects.toMatchObject({
        exitCode: EXIT_CODES.storage,
        message: `Cannot use "${join(store, part)}": found a symbolic link, expected a folder of the store`,
      });
      expect((await readdir(elsewhere, { recursive: true })).sort()).toEqual(before);
    },
  );

  test.each(["", "tags"])(
    "in place of a repository's folder %j hides that repository alone, and is not written through",
    async part => {
      const store = await makeFolder();
      const first = await start({ store });
      await pushImage(first, "app", "1");
      await pushImage(first, "other", "1");
      await first.close();
      const folder = join(store, "repositories", nameHash("app"), part).replace(/\/$/, "");
      const elsewhere = join(await makeFolder(), nameHash("app"));
      await rename(folder, elsewhere);
      await symlink(elsewhere, folder);
      const before = (await readdir(elsewhere, { recursive: true })).sort();
      const events: ServeEvent[] = [];
      const second = await start({ store, onEvent: event => events.push(event) });
      expect(events).toEqual([{ kind: "damage", path: folder, found: "a symbolic link" }]);
      expect((await send(second, "GET", "/v2/app/manifests/1")).status).toBe(404);
      expect((await send(second, "GET", "/v2/other/manifests/1")).status).toBe(200);
      await expect(pushBlob(second, "app", "more")).rejects.toThrow("status 500");
      expect((await readdir(elsewhere, { recursive: true })).sort()).toEqual(before);
    },
  );

  test("to the whole store is followed", async () => {
    const link = join(await makeFolder(), "store");
    await symlink(await makeFolder(), link);
    await pushBlob(await start({ store: link }), "app", "hello");
  });
});

describe("a damaged record of the store", () => {
  const flip = (bytes: Buffer): Buffer => {
    const at = bytes.indexOf(":") + 2;
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    return bytes;
  };
  test.each([
    ["empty", () => Buffer.alloc(0)],
    ["cut", (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
    ["flipped", flip],
    ["zeroed", (bytes: Buffer) => Buffer.alloc(bytes.length)],
    ["grown", (bytes: Buffer) => Buffer.concat([bytes, Buffer.from("x")])],
    ["moved", () => Buffer.from('{"tag":"2","digest":"../../etc"}\n00000000\n')],
  ])(
    "%s: its tag, manifest or repository is 404 and named, the rest is served, a push brings it back",
    async (_, harm) => {
      for (const part of ["tags", "manifests", "name"]) {
        const store = await makeFolder();
        const first = await start({ store });
        await pushImage(first, "app", "1");
        await pushImage(first, "other", "1");
        await first.close();
        const path = await recordPath(store, "app", part);
        await writeFile(path, harm(await readFile(path)));
        const events: ServeEvent[] = [];
        const second = await start({ store, onEvent: event => events.push(event) });
        expect(events, part).toEqual([{ kind: "damage", path, found: "not what this server wrote" }]);
        expect((await send(second, "GET", "/v2/app/manifests/1")).status, part).toBe(404);
        expect((await send(second, "GET", "/v2/other/manifests/1")).status, part).toBe(200);
        const manifest = await pushImage(second, "app", "1");
        await second.close();
        const third = await start({ store });
        expect((await send(third, "GET", "/v2/app/manifests/1")).body.toString(), part).toBe(manifest);
      }
    },
  );
});

async function recordPath(store: string, name: string, part: string): Promise<string> {
  for (const folder of await readdir(join(store, "repositories"))) {
    const path = join(store, "repositories", folder);
    if (!(await readFile(join(path, "name"), "utf8")).includes(`"${name}"`)) continue;
    if (part === "name") return join(path, part);
    const [entry = ""] = await readdir(join(path, part));
    return join(path, part, entry);
  }
  return expect.unreachable("no such repository");
}
