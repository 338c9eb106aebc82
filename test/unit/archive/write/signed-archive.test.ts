import { readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { openArchiveFile } from "../../../../src/archive/open/open-archive-file.ts";
import type { ArchiveContentsOptions } from "../../../../src/archive/write/archive-contents.ts";
import { archiveFileTarget } from "../../../../src/archive/write/archive-file-target.ts";
import { archiveStreamTarget } from "../../../../src/archive/write/archive-stream-target.ts";
import { layoutFolderTarget } from "../../../../src/archive/write/layout-folder-target.ts";
import type { ImageTarget } from "../../../../src/content/contracts.ts";
import { readBlob } from "../../../../src/content/pump.ts";
import { gather } from "../../../../src/copy/gather.ts";
import type { SignLock } from "../../../../src/oci/signatures/lock-signature.ts";
import { parseSigningKey } from "../../../../src/oci/signatures/signing-key.ts";
import { temporaryFolder } from "../../../support/images.ts";
import { addImage, memorySource, settledRoot } from "../../../support/memory-image.ts";
import { keyPair } from "../../../support/signing-keys.ts";

const source = memorySource();
const root = settledRoot(addImage(source, "app"), "r.lan/app:1");
const [ed25519, ecdsa] = ["ed25519", "ecdsa"].map(type => keyPair(type as "ed25519" | "ecdsa").pem);
const command = "pull app";

function signedWith(pem: string | undefined): ArchiveContentsOptions & { readonly signLock: SignLock } {
  const { sign } = parseSigningKey(pem ?? "", undefined, "key");
  return { platform: { os: "linux", architecture: "amd64" }, signLock: sign };
}

async function write(target: ImageTarget): Promise<void> {
  const plan = await gather(source, [root]);
  await using session = await target.begin(plan);
  for (const blob of plan.blobs)
    if ((await session.has(blob)) === "absent") await session.put(blob, await source.blob(blob));
  await session.commit([]);
}

describe("a signed archive", () => {
  test("has the signature of its imgpack.json right after it, as a file, a stream and a folder", async () => {
    const options = signedWith(ed25519);
    const folder = await temporaryFolder();
    const [file, layout] = [join(folder, "out.tar"), join(folder, "layout")];
    await write(archiveFileTarget(file, options));
    await using archive = await openArchiveFile(file);
    const names = [...archive.entries.keys()];
    expect(names.slice(3, 5)).toEqual(["imgpack.json", "imgpack.sig"]);
    const bytesOf = async (name: string): Promise<Uint8Array> => {
      const slice = archive.slice(archive.resolve(name));
      return await readBlob(slice, slice.size);
    };
    const lock = await bytesOf("imgpack.json");
    expect(options.signLock(lock)?.isAlike(await bytesOf("imgpack.sig"))).toBe(true);

    const parts: Buffer[] = [];
    const stream = new Writable({
      write(part: Buffer, _encoding, onDone) {
        parts.push(Buffer.from(part));
        onDone();
      },
    });
    await write(archiveStreamTarget(stream, options));
    expect(Buffer.concat(parts).equals(await readFile(file))).toBe(true);

    await write(layoutFolderTarget(layout, options));
    const inFolder = await readFile(join(layout, "imgpack.sig"));
    // The folder's index.json differs, but not what it contains: the lock is the same.
    expect((await readFile(join(layout, "imgpack.json"))).equals(lock)).toBe(true);
    expect(inFolder.equals(await bytesOf("imgpack.sig"))).toBe(true);
  });

  test("is complete after a power cut that took only its journal, although ECDSA would sign it otherwise now", async () => {
    const path = join(await temporaryFolder(), "out.tar");
    const resume = { command };
    await write(archiveFileTarget(path, { ...signedWith(ecdsa), resume }));
    const first = await readFile(path);
    await rename(path, `${path}.partial`);
    await write(archiveFileTarget(path, { ...signedWith(ecdsa), resume }));
    expect((await readFile(path)).equals(first)).toBe(true);
  });

  test("is not taken for that of another key", async () => {
    const path = join(await temporaryFolder(), "out.tar");
    const resume = { command };
    await write(archiveFileTarget(path, { ...signedWith(ecdsa), resume }));
    await rename(path, `${path}.partial`);
    const other = archiveFileTarget(path, { ...signedWith(keyPair("ecdsa").pem), resume });
    await expect(write(other)).rejects.toThrow("bytes from");
    await rm(`${path}.partial`);
  });

  test("as a folder is complete already for a second run, although ECDSA would sign it otherwise now", async () => {
    const path = join(await temporaryFolder(), "layout");
    const notes: string[] = [];
    const onNote = (text: string): void => void notes.push(text);
    await write(layoutFolderTarget(path, signedWith(ecdsa)));
    const first = await readFile(join(path, "imgpack.sig"));
    await write(layoutFolderTarget(path, { ...signedWith(ecdsa), onNote }));
    expect(notes.join()).toContain("contains these images already");
    expect((await readFile(join(path, "imgpack.sig"))).equals(first)).toBe(true);
    await expect(write(layoutFolderTarget(path, signedWith(ed25519)))).rejects.toThrow(
      "expected an empty folder or nothing",
    );
  });
});
