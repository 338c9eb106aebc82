import { dirname, join, resolve } from "node:path";
import type { BlobSource, ImageTarget, Presence, SettledRoot, TargetSession } from "../../content/contracts.ts";
import { pumpBlob } from "../../content/pump.ts";
import { InternalError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { makeFolder } from "../../util/disk.ts";
import { errorCode } from "../../util/error-code.ts";
import { PartialFile } from "../../util/partial-file.ts";
import { type ArchiveContents, type ArchiveContentsOptions, archiveContents } from "./archive-contents.ts";
import { withFolderErrors } from "./check-folder-target.ts";
import { checkReadable } from "./check-readable.ts";
import { finishedFolder } from "./finished-folder.ts";
import { PartialFolder, type PartialFolderOptions } from "./partial-folder.ts";

export interface LayoutFolderOptions
  extends Pick<ArchiveContentsOptions, "platform" | "lock" | "signLock">,
    PartialFolderOptions {}

/**
 * Writes an OCI image layout as a folder: as `<path>.partial`, synced, renamed, the folder above synced. A blob gets its
 * name after its bytes were hashed, so an interrupted run leaves complete blobs for the next one.
 *
 * @param path absent; an empty folder, which is replaced; or a folder with the same contents, which stays.
 */
export function layoutFolderTarget(path: string, options: LayoutFolderOptions): ImageTarget {
  return {
    async begin(plan, signal) {
      const { platform, lock, signLock } = options;
      const contents = archiveContents(plan, { platform, format: "oci", lock, signLock, sums: false });
      checkReadable(contents, plan);
      const folder = resolve(path);
      const finished =
        options.restart === true ? undefined : await finishedFolder(folder, contents, options.onNote, signal);
      if (finished !== undefined) return finished;
      const session = new FolderSession(folder, contents, await PartialFolder.open(folder, contents, options, signal));
      try {
        await session.prepare();
      } catch (error) {
        await session[Symbol.asyncDispose]();
        throw error;
      }
      return session;
    },
  };
}

class FolderSession implements TargetSession {
  readonly #path: string;
  readonly #contents: ArchiveContents;
  readonly #folder: PartialFolder;
  readonly #missing: Set<string>;

  constructor(path: string, contents: ArchiveContents, folder: PartialFolder) {
    this.#path = path;
    this.#contents = contents;
    this.#folder = folder;
    this.#missing = new Set(contents.files.map(({ name }) => name).filter(name => !folder.whole.has(name)));
  }

  async prepare(): Promise<void> {
    await withFolderErrors(this.#path, async () => {
      for (const folder of ["blobs", ...this.#folders()]) await makeFolderOnce(join(this.#folder.partial, folder));
    });
    for (const { name, bytes } of this.#contents.files) {
      if (bytes === undefined) continue;
      await this.#write(name, bytes.length, async file => await file.write(bytes, 0));
    }
  }

  async has({ digest }: Descriptor): Promise<Presence> {
    const name = this.#contents.names.get(digest);
    return name !== undefined && this.#folder.whole.has(name) ? "kept" : "absent";
  }

  async put({ digest, size }: Descriptor, blob: BlobSource, signal?: AbortSignal): Promise<void> {
    const name = this.#contents.names.get(digest);
    // Manifests come from the plan, and are written already.
    if (name === undefined) return;
    await this.#write(name, size, async file => {
      await pumpBlob(blob, async (chunk, position) => await file.write(chunk, position), signal);
    });
    this.#folder.whole.set(name, size);
  }

  async commit(_roots: readonly SettledRoot[], signal?: AbortSignal): Promise<void> {
    const [missing] = this.#missing;
    if (missing !== undefined) throw new InternalError(`Cannot finish folder: ${missing} was never written`);
    await this.#folder.publish([...this.#folders(), "blobs"], signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder[Symbol.asyncDispose]();
  }

  async #write(name: string, size: number, fill: (file: PartialFile) => Promise<void>): Promise<void> {
    await using file = await PartialFile.create(join(this.#folder.partial, name), size);
    await fill(file);
    // A run that stood still must not replace a file of the run that took over.
    await this.#folder.checkOwned();
    await file.publish();
    this.#missing.delete(name);
  }

  /** `blobs/sha256`, and `blobs/sha512` if there is one. */
  #folders(): readonly string[] {
    return [...new Set(this.#contents.files.map(({ name }) => dirname(name)))].filter(name => name !== ".");
  }
}

async function makeFolderOnce(path: string): Promise<void> {
  try {
    await makeFolder(path);
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
}
