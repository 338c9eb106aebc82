import type { FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { ByteRange } from "../../content/contracts.ts";
import { StorageError } from "../../errors.ts";
import { type Digest, digestAlgorithm, digestHex, digestOf, isDigest } from "../../oci/digest.ts";
import { DiskFile } from "../../util/disk.ts";
import { errorCode } from "../../util/error-code.ts";
import { lstat, open, readdir, stat } from "../../util/read-disk.ts";
import { storageState } from "../../util/system-fault.ts";
import { CheckedBlobs } from "../content/checked-blobs.ts";
import type { DamageLog } from "../content/damage-log.ts";
import { isOwnFault } from "../content/own-fault.ts";
import type { OpenBlob, StoredContent } from "../content/served-registry.ts";
import { LinkFault, makeOwnFolder, publishFile, removeDurably, writeDurably } from "./durable-file.ts";
import { READ_FLAGS } from "./record-file.ts";

const ALGORITHM = /^sha(?:256|512)$/;
/** The first byte of a digest. */
const PREFIX = /^[0-9a-f]{2}$/;

/**
 * The bytes of blobs and manifests, each once. What is missing, has another size, or had another digest when it was last
 * read counts as absent, so that the next push brings it again.
 */
export class ContentFolder {
  readonly #folder: string;
  readonly #scratch: string;
  readonly #log: DamageLog;
  readonly #checked = new CheckedBlobs();
  /** Content that was read with another digest. A new copy ends that, and so does a restart. */
  readonly #damaged = new Set<Digest>();

  constructor(folder: string, scratch: string, log: DamageLog) {
    this.#folder = folder;
    this.#scratch = scratch;
    this.#log = log;
  }

  /** @throws StorageError if one of the folders is a symbolic link. */
  async checkFolders(): Promise<void> {
    for (const algorithm of await foldersIn(this.#folder, ALGORITHM)) await foldersIn(algorithm, PREFIX);
  }

  /** Whole files with the names of digests, whatever their bytes are. Anything else in the folders is passed over. */
  async *stored(signal?: AbortSignal): AsyncGenerator<StoredContent, void> {
    for (const algorithm of await foldersIn(this.#folder, ALGORITHM)) {
      for (const prefix of await foldersIn(algorithm, PREFIX)) {
        signal?.throwIfAborted();
        for (const entry of await readdir(prefix)) {
          const digest = `${basename(algorithm)}:${entry}`;
          if (!isDigest(digest) || this.path(digest) !== join(prefix, entry)) continue;
          const stats = await lstat(join(prefix, entry));
          if (stats.isFile()) yield { digest, size: stats.size };
        }
      }
    }
  }

  path(digest: Digest): string {
    const hex = digestHex(digest);
    return join(this.#folder, digestAlgorithm(digest), hex.slice(0, 2), hex);
  }

  /** The file if it has the size that it had when it was stored; its bytes are not checked. The caller closes it. */
  async open({ digest, size }: StoredContent): Promise<FileHandle | undefined> {
    if (this.#damaged.has(digest)) return undefined;
    let file: FileHandle | undefined;
    let found: string;
    try {
      file = await open(this.path(digest), READ_FLAGS);
      const stats = await file.stat();
      if (stats.isFile() && stats.size === size) return file;
      found = stats.isFile() ? `${stats.size} bytes, expected ${size}` : "no plain file";
    } catch (error) {
      if (isOwnFault(error)) throw error;
      found = stateOf(error);
    }
    await file?.close();
    this.#report(digest, found);
    return undefined;
  }

  async openBlob(blob: StoredContent): Promise<OpenBlob | undefined> {
    const { digest, size } = blob;
    const handle = await this.open(blob);
    if (handle === undefined) return undefined;
    const file = new DiskFile(this.path(digest), handle);
    const { ino, mtimeMs, ctimeMs } = await handle.stat();
    return this.#checked.open({
      digest,
      size,
      identity: [ino, mtimeMs, ctimeMs].join(" "),
      async fill(into, position) {
        const filled = await file.read(into, position);
        if (filled < into.length) throw new StorageError(`no byte ${position + filled}`);
      },
      confirm: async () => undefined,
      pieceHash: () => undefined,
      onDamage: async (range, found) => await this.#markDamaged(digest, handle, found, range),
      [Symbol.asyncDispose]: async () => await handle.close(),
    });
  }

  async has(content: StoredContent): Promise<boolean> {
    const file = await this.open(content);
    await file?.close();
    return file !== undefined;
  }

  /** All bytes, with size and digest checked. Only for manifests, which are small. */
  async read(content: StoredContent): Promise<Buffer | undefined> {
    const { digest, size } = content;
    await using file = await this.open(content);
    if (file === undefined) return undefined;
    const bytes = Buffer.alloc(size);
    let found: string;
    try {
      await new DiskFile(this.path(digest), file).read(bytes, 0);
      found = digestOf(bytes, digestAlgorithm(digest));
    } catch (error) {
      found = stateOf(error);
    }
    if (found === digest) return bytes;
    this.#report(digest, found);
    return undefined;
  }

  /** Moves a synced file to its name. It replaces what has the name, which may be damaged. */
  async add(digest: Digest, temporary: string): Promise<void> {
    const path = this.path(digest);
    await makeOwnFolder(dirname(path));
    await publishFile(temporary, path);
    this.#forget(digest);
  }

  async write(digest: Digest, bytes: Uint8Array): Promise<void> {
    const path = this.path(digest);
    await makeOwnFolder(dirname(path));
    await writeDurably(path, bytes, this.#scratch);
    this.#forget(digest);
  }

  /** Running downloads keep their open file. */
  async remove(digest: Digest): Promise<void> {
    await removeDurably(this.path(digest));
    this.#forget(digest);
  }

  /** @param found what was read from `file` instead; a new copy that has replaced it in the meantime is not blamed */
  async #markDamaged(digest: Digest, file: FileHandle, found: unknown, range: ByteRange | undefined): Promise<void> {
    const [read, named] = await Promise.all([file.stat(), stat(this.path(digest)).catch(() => undefined)]);
    if (read.ino !== named?.ino) return;
    this.#damaged.add(digest);
    this.#report(digest, found instanceof Error ? stateOf(found) : String(found), range);
  }

  #forget(digest: Digest): void {
    this.#damaged.delete(digest);
    this.#log.change(digest);
  }

  #report(digest: Digest, found: string, range?: ByteRange): void {
    this.#log.add({ digest, range, path: this.path(digest), found });
  }
}

/** @throws StorageError if one of them is a symbolic link. */
async function foldersIn(folder: string, names: RegExp): Promise<readonly string[]> {
  const entries = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => names.test(name));
  const linked = entries.find(entry => entry.isSymbolicLink());
  if (linked !== undefined) throw new LinkFault(join(folder, linked.name));
  return entries.filter(entry => entry.isDirectory()).map(({ name }) => join(folder, name));
}

function stateOf(error: unknown): string {
  return errorCode(error) === "ENOENT" ? "no file" : storageState(error);
}
