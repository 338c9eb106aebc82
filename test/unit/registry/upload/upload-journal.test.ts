import { mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { connectRegistry } from "../../../../src/registry/client/connect-registry.ts";
import { Repository } from "../../../../src/registry/client/repository.ts";
import { UploadJournal, type UploadName } from "../../../../src/registry/upload/upload-journal.ts";
import { temporaryFolder } from "../../../support/images.ts";

const HOUR_MS = 3_600_000;

async function nameOf(key = "sha256:1", name = "app"): Promise<UploadName> {
  const client = await connectRegistry("127.0.0.1:5000", { env: {}, home: "/nonexistent" });
  onTestFinished(async () => await client.transport[Symbol.asyncDispose]());
  return { repository: new Repository(client, name, "pull,push"), key };
}

const URL_OF_UPLOAD = new URL("http://127.0.0.1:5000/v2/app/blobs/uploads/u1?_state=s");

/** What another run finds. */
async function found(folder: string, name: UploadName, now = Date.now()): Promise<object | undefined> {
  const journal = new UploadJournal(folder, { now: () => now });
  await using record = await journal.claim(name);
  return record?.saved;
}

async function saved(folder: string, name: UploadName, url = URL_OF_UPLOAD): Promise<void> {
  await using record = await new UploadJournal(folder).claim(name);
  await record?.save({ url, offset: 7 });
}

describe("UploadJournal", () => {
  test("UploadJournal tells a later run where an upload is, and how far", async () => {
    const folder = await temporaryFolder();
    const name = await nameOf();
    await saved(folder, name);
    expect(await found(folder, name)).toEqual({ url: URL_OF_UPLOAD, offset: 7 });
    expect(await found(folder, { ...name, key: "sha256:2" })).toBeUndefined();
    expect(await found(folder, await nameOf("sha256:1", "other"))).toBeUndefined();
  });

  test("UploadJournal names neither registry nor blob in its files, which are their owner's alone", async () => {
    const folder = await temporaryFolder();
    await saved(folder, await nameOf());
    const [file = ""] = await readdir(join(folder, "uploads"));
    expect(file).toMatch(/^[0-9a-f]{64}\.json$/);
    expect((await stat(join(folder, "uploads", file))).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, "uploads"))).mode & 0o777).toBe(0o700);
    expect(await readFile(join(folder, "uploads", file), "utf8")).not.toContain("sha256:1");
  });

  test("UploadJournal gives one upload to one of two at the same time", async () => {
    const folder = await temporaryFolder();
    const name = await nameOf();
    {
      await using first = await new UploadJournal(folder).claim(name);
      expect(first).toBeDefined();
      expect(await new UploadJournal(folder).claim(name)).toBeUndefined();
    }
    await using later = await new UploadJournal(folder).claim(name);
    expect(later).toBeDefined();
  });

  test("UploadJournal writes down no address on another host", async () => {
    const folder = await temporaryFolder();
    const name = await nameOf();
    await saved(folder, name, new URL("https://storage.example/upload?X-Amz-Signature=secret"));
    expect(await readdir(join(folder, "uploads"))).toEqual([]);
  });

  test("UploadJournal.forget() removes what is known of an upload", async () => {
    const folder = await temporaryFolder();
    const name = await nameOf();
    await saved(folder, name);
    await new UploadJournal(folder).forget(name);
    expect(await readdir(join(folder, "uploads"))).toEqual([]);
  });

  test("UploadJournal does not go on after a day, and tidies up what is older, but no folders", async () => {
    const folder = await temporaryFolder();
    const name = await nameOf();
    await saved(folder, name);
    expect(await found(folder, name, Date.now() + 23 * HOUR_MS)).toBeDefined();
    const uploads = join(folder, "uploads");
    const old = new Date(Date.now() - 25 * HOUR_MS);
    await mkdir(join(uploads, "kept"));
    const id = "ab".repeat(32);
    const ours = {
      [`${id}.json`]: `{"imgpack":"upload-2","id":"${id}","time":1}`,
      [`${id}.json.0123456789ab`]: '{"imgpack":"upl',
      [`${id}.lock`]: "",
    };
    for (const [stale, text] of Object.entries(ours)) {
      await writeFile(join(uploads, stale), text, { mode: 0o600 });
      await utimes(join(uploads, stale), old, old);
    }
    await utimes(join(uploads, "kept"), old, old);
    expect(await found(folder, name, Date.now() + 25 * HOUR_MS)).toBeUndefined();
    expect(await readdir(uploads)).toEqual(["kept"]);
  });

  test("UploadJournal leaves files that it did not write in its folder, however old they are", async () => {
    const folder = await temporaryFolder();
    await saved(folder, await nameOf());
    const uploads = join(folder, "uploads");
    const id = "cd".repeat(32);
    const foreign = { "holiday.jpg": "photo", [`${id}.json`]: '{"mine":true}', [`${id}.lock`]: "pid 12", torn: "" };
    for (const [name, text] of Object.entries(foreign)) {
      await writeFile(join(uploads, name), text, { mode: 0o600 });
      await utimes(join(uploads, name), new Date(0), new Date(0));
    }
    await found(folder, await nameOf("sha256:other"));
    expect(await readdir(uploads)).toEqual(expect.arrayContaining(Object.keys(foreign)));
  });

  test("UploadJournal keeps nothing where its folder cannot be made, or is a link", async () => {
    const folder = await temporaryFolder();
    const name = await nameOf();
    await writeFile(join(folder, "file"), "");
    expect(await new UploadJournal(join(folder, "file")).claim(name)).toBeUndefined();
    await mkdir(join(folder, "elsewhere"));
    await symlink(join(folder, "elsewhere"), join(folder, "uploads"));
    expect(await new UploadJournal(folder).claim(name)).toBeUndefined();
  });
});
