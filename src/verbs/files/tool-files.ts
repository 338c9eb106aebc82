import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileSliceBlob } from "../../content/blob.ts";
import { verified } from "../../content/verified.ts";
import { StorageError, UsageError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { errorCode } from "../../util/error-code.ts";
import { quote } from "../../util/format.ts";
import { readRegularFile } from "../../util/input-file.ts";
import { lstat, open } from "../../util/read-disk.ts";
import { replaceFile } from "../../util/replace-file.ts";
import { isBlob, writeBlobFile } from "./blob-file.ts";
import { type ChecksumList, formatChecksums, parseChecksums } from "./checksum-list.ts";

/** It goes wherever the executables go: it has the licences of what is in them. */
const LICENCES = "imgpack-licenses.txt";
const SUMS = "SHA256SUMS";
const OWN_NAME = /^imgpack-[\w.-]+$/;
const MAX_SUMS_BYTES = 1024 * 1024;
const SOURCE_HINT =
  "Build the executables with npm run executable, and name their folder with toolDir or IMGPACK_TOOL_DIR.";

/** A file next to the archive. */
export interface ToolFile {
  readonly path: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

interface ToolCopy extends ToolFile {
  readonly name: string;
  readonly source: string;
  readonly isThere: boolean;
}

/** Executables that are to be next to an archive. */
export class ToolFiles {
  readonly #folder: string;
  readonly #copies: readonly ToolCopy[];

  private constructor(folder: string, copies: readonly ToolCopy[]) {
    this.#folder = folder;
    this.#copies = copies;
  }

  /**
   * Finds the files and looks at what has their names; writes nothing.
   *
   * @param from folder with the executables and their SHA256SUMS.
   * @param archive that they are to be next to.
   * @throws StorageError if one is absent, or would replace a file that imgpack did not write; UsageError if the archive has
   * the name of one.
   */
  static async find(
    targets: readonly string[],
    from: string,
    archive: string,
    signal: AbortSignal | undefined,
  ): Promise<ToolFiles> {
    const to = dirname(archive);
    const names = [...new Set([...targets.map(toolName), LICENCES])];
    if ([...names, SUMS].includes(basename(archive))) {
      throw new UsageError(
        `Cannot write archive ${quote(archive)}: a file of this name goes next to it, expected another name`,
        { hint: "Choose a name such as images.tar." },
      );
    }
    const sums = await readSums(from);
    if (sums === undefined) {
      throw new StorageError(`Cannot copy executables from ${quote(from)}: no ${SUMS}, expected a list of sums there`, {
        hint: SOURCE_HINT,
      });
    }
    if ((await lstat(join(to, SUMS)).catch(() => undefined))?.isSymbolicLink() === true) {
      throw new StorageError(`Cannot write ${quote(join(to, SUMS))}: it is a symbolic link, expected a file or none`, {
        hint: "Remove the link, or write the archive into another folder.",
      });
    }
    const known = (await readSums(to)) ?? new Map<string, Digest>();
    const foreign = [...known.keys()].find(name => !OWN_NAME.test(name));
    if (foreign !== undefined) {
      throw new StorageError(
        `Cannot write ${quote(join(to, SUMS))}: found a list with ${quote(foreign)}, expected one of executables alone`,
        { hint: "Rename it, or write the archive into another folder." },
      );
    }
    const copies: ToolCopy[] = [];
    for (const name of names) {
      copies.push(await findCopy(name, from, to, sums, known, signal));
    }
    return new ToolFiles(to, copies);
  }

  get files(): readonly ToolFile[] {
    return this.#copies.map(({ path, digest, size }) => ({ path, digest, size }));
  }

  /**
   * Copies what is not there yet. Each file gets its name when all of it is written and its sum is right, and the list of
   * sums comes last.
   *
   * @throws IntegrityError for a file that does not have its sum; StorageError if one cannot be written.
   */
  async copy(signal: AbortSignal | undefined): Promise<void> {
    for (const { source, path, isThere, digest, size, name } of this.#copies) {
      if (isThere) continue;
      await using file = await open(source, constants.O_RDONLY);
      const blob = verified(descriptorOf(digest, size), fileSliceBlob(file, 0, size, source), source);
      const mode = name === LICENCES ? 0o644 : 0o755;
      await writeBlobFile(path, descriptorOf(digest, size), blob, { mode, signal });
    }
    // Another run may have added its files meanwhile.
    const kept = (await readSums(this.#folder)) ?? new Map<string, Digest>();
    const sums = new Map([...kept, ...this.#copies.map(({ name, digest }) => [name, digest] as const)]);
    await replaceFile(join(this.#folder, SUMS), formatChecksums(sums), 0o644);
  }
}

/** As `npm run executable` names it. */
function toolName(target: string): string {
  return `imgpack-${target}${target.startsWith("windows-") ? ".exe" : ""}`;
}

async function findCopy(
  name: string,
  from: string,
  to: string,
  sums: ChecksumList,
  known: ChecksumList,
  signal: AbortSignal | undefined,
): Promise<ToolCopy> {
  const [source, path] = [join(from, name), join(to, name)];
  const digest = sums.get(name);
  await using file = await openIfThere(source);
  const stats = await file?.stat();
  if (digest === undefined || stats?.isFile() !== true) {
    const found = stats === undefined ? "no such file" : "not a file";
    const state = stats?.isFile() === true ? `its sum is not in ${SUMS}` : found;
    throw new StorageError(`Cannot copy ${quote(source)}: ${state}, expected the file and its sum`, {
      hint: SOURCE_HINT,
    });
  }
  const { size } = stats;
  await using present = await openIfThere(path);
  const isThere = present !== undefined && (await hasDigest(present, digest, signal));
  const former = known.get(name);
  if (present !== undefined && !isThere && (former === undefined || !(await hasDigest(present, former, signal)))) {
    throw new StorageError(
      `Cannot write ${quote(path)}: found another file that imgpack did not write, expected none`,
      { hint: "Rename or remove it, or write the archive into another folder." },
    );
  }
  return { name, source, path, digest, size, isThere };
}

async function hasDigest(file: FileHandle, digest: Digest, signal: AbortSignal | undefined): Promise<boolean> {
  const stats = await file.stat();
  return stats.isFile() && (await isBlob(descriptorOf(digest, stats.size), { handle: file }, signal));
}

function descriptorOf(digest: Digest, size: number): Descriptor {
  return { mediaType: "application/octet-stream", digest, size };
}

/** Undefined if nothing has the name. It never waits for the writer of a FIFO. */
async function openIfThere(path: string): Promise<FileHandle | undefined> {
  return await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(error => {
    if (errorCode(error) !== "ENOENT") throw error;
    return undefined;
  });
}

/** Undefined if the folder has no list. */
async function readSums(folder: string): Promise<ChecksumList | undefined> {
  const path = join(folder, SUMS);
  const bytes = await readRegularFile(path, MAX_SUMS_BYTES).catch(error => {
    if (errorCode(error) !== "ENOENT") throw error;
    return undefined;
  });
  if (bytes === undefined) return undefined;
  const sums = typeof bytes === "string" ? undefined : parseChecksums(bytes.toString());
  if (sums !== undefined) return sums;
  throw new StorageError(`Cannot read ${quote(path)}: found other lines, expected those that sha256sum prints`, {
    hint: "Rename it, or choose another folder.",
  });
}
