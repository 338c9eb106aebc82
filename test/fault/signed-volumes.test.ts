import { verify as verifyBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { formatLock, LOCK_FILE } from "../../src/bundle/lock/format-lock.ts";
import type { LockedSet } from "../../src/bundle/lock/lock.ts";
import { convert, push } from "../../src/index.ts";
import { temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { keyPair } from "../support/signing-keys.ts";
import { tarOf } from "../unit/archive/archive-builder.ts";
import {
  entriesOf,
  lockIn,
  pullVolumes,
  type StoredImages,
  storedImages,
  sumsOf,
  VOLUME_BYTES,
} from "./volumes-support.ts";

const pair = keyPair("ed25519");
const sign = { key: pair.pem };

let folder: string;
let target: ScriptedRegistry;
let made: ReadonlyMap<string, Buffer> | undefined;
beforeEach(async () => {
  [folder, target] = [await temporaryFolder(), await ScriptedRegistry.start()];
  made ??= await signedSet(await storedImages());
  for (const [name, bytes] of made) await writeFile(join(folder, name), bytes);
});

async function signedSet(stored: StoredImages): Promise<ReadonlyMap<string, Buffer>> {
  const output = await temporaryFolder();
  await pullVolumes(stored, output, { sign });
  return new Map(readdirSync(output).map(name => [name, readFileSync(join(output, name))]));
}

const volumes = (): readonly string[] =>
  readdirSync(folder)
    .filter(name => name.endsWith(".tar"))
    .sort()
    .map(name => join(folder, name));
const pushed = async (...paths: readonly string[]): Promise<unknown> =>
  await push(paths, {
    to: `${target.host}/in`,
    registry: { tls: { plainHttp: true } },
    requireSignature: pair.publicPem,
  });
const sent = (): readonly object[] => target.requests.filter(({ method }) => method !== "GET" && method !== "HEAD");

async function change(path: string, edit: (files: Map<string, Buffer>) => void): Promise<void> {
  const files = new Map(await entriesOf(path));
  edit(files);
  await writeFile(path, tarOf(Object.fromEntries(files)));
}

const editSet = (set: Partial<LockedSet>) => (files: Map<string, Buffer>) => {
  const lock = lockIn(files);
  if (lock.set === undefined) throw new Error("no set");
  files.set(LOCK_FILE, Buffer.from(formatLock({ ...lock, set: { ...lock.set, ...set } })));
};

describe("signed volumes", () => {
  test("each has the signature of its lock, and site.sha256.sig is that of site.sha256", async () => {
    const right = (bytes: Buffer | undefined, signature: Buffer | undefined): boolean =>
      verifyBytes(null, bytes ?? Buffer.alloc(0), pair.publicPem, signature ?? Buffer.alloc(0));
    for (const path of volumes()) {
      const files = await entriesOf(path);
      const names = [...files.keys()];
      expect(names[names.indexOf(LOCK_FILE) + 1]).toBe("imgpack.sig");
      expect(right(files.get(LOCK_FILE), files.get("imgpack.sig"))).toBe(true);
    }
    const [sums, signature] = ["site.sha256", "site.sha256.sig"].map(name => readFileSync(join(folder, name)));
    expect(right(sums, signature)).toBe(true);
  });

  test("one that is written alone with the same Ed25519 key has the same bytes", async () => {
    const alone = await temporaryFolder();
    await convert(volumes(), { output: join(alone, "site.tar"), volumeSize: VOLUME_BYTES, sign, volume: 2 });
    const name = "site.v02.tar";
    expect(sumsOf(alone)[name]).toBe(sumsOf(folder)[name]);
    expect(Object.keys(sumsOf(alone))).toEqual(["site.v02.sha256", "site.v02.sha256.sig", name]);
  });

  test("are pushed in any order if all are signed, and joined without a signature, which is noted", async () => {
    expect(await pushed(...volumes().toReversed())).toMatchObject({ images: [{}, {}, {}, {}] });
    const notes: string[] = [];
    const output = join(folder, "whole.tar");
    const onProgress = (event: object): void => void notes.push(JSON.stringify(event));
    await convert(volumes(), { output, onProgress });
    expect((await entriesOf(output)).has("imgpack.sig")).toBe(false);
    expect(notes.join()).toContain("The signature is left out: it is of another lock");
  });

  test.each<[string, number, (files: Map<string, Buffer>) => void]>([
    ["is not signed", 5, files => files.delete("imgpack.sig")],
    ["says that there are more", 6, editSet({ of: 5 })],
    ["has the number of another one", 6, editSet({ number: 1 })],
    ["has its blobs elsewhere", 6, files => editSet({ where: lockIn(files).set?.where.toReversed() ?? [] })(files)],
    [
      "names an image that is in another one",
      // It cannot be opened, and without it the others lack a volume.
      5,
      files => {
        for (const name of ["index.json", "manifest.json"])
          files.set(name, Buffer.from(String(files.get(name)).replaceAll("app:v", "app:evil")));
      },
    ],
  ])("nothing is sent if one of them %s", async (_, exitCode, edit) => {
    // The one with an image that is whole in it.
    const path = volumes().find(one => readFileSync(one, "latin1").includes('image.name":"')) ?? "";
    await change(path, edit);
    await expect(pushed(...volumes())).rejects.toMatchObject({ exitCode });
    expect(sent()).toEqual([]);
  });

  test("of two bundles are not one: what is missing is named, although each is signed", async () => {
    const other = (await signedSet(await storedImages())).get("site.v02.tar") ?? Buffer.alloc(0);
    await writeFile(join(folder, "site.v02.tar"), other);
    await expect(pushed(...volumes())).rejects.toThrow(/bundle [0-9a-f]{12}: volume 2 of 4 is missing/);
    expect(sent()).toEqual([]);
  });

  test("leave no signature of sums when others replace them, and no file that is no such signature is touched", async () => {
    const whole = join(await temporaryFolder(), "whole.tar");
    await convert(volumes(), { output: whole });
    const split = { output: join(folder, "site.tar"), volumeSize: VOLUME_BYTES, restart: true };
    await convert(whole, split);
    expect(readdirSync(folder).filter(name => !name.endsWith(".tar"))).toEqual(["site.sha256"]);
    await convert(whole, { ...split, sign });
    expect(readdirSync(folder)).toContain("site.sha256.sig");
    const [alone, diary] = [await temporaryFolder(), "My diary"];
    const path = join(alone, "site.sha256.sig");
    await writeFile(path, diary);
    await expect(convert(whole, { ...split, output: join(alone, "site.tar"), sign })).rejects.toMatchObject({
      exitCode: 9,
      message: expect.stringContaining("found something else than a signature of sums, expected none"),
    });
    expect(readdirSync(alone)).toEqual(["site.sha256.sig"]);
    expect(readFileSync(path, "utf8")).toBe(diary);
  });
});
