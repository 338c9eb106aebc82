import { constants, type Stats } from "node:fs";
import { basename } from "node:path";
import { fileSliceBlob } from "../../content/blob.ts";
import { hashBlob } from "../../content/hash-blob.ts";
import { type OnProgress, underWay } from "../../content/progress.ts";
import type { Digest } from "../../oci/digest.ts";
import type { FileSum } from "../../serve/page/report/read-report.ts";
import { quote } from "../../util/format.ts";
import { checkSame } from "../../util/input-guard.ts";
import { open, stat } from "../../util/read-disk.ts";

/** sha256 of whole files, as `sha256sum` prints them. */
export class FileSums {
  /** In the order of the paths. */
  readonly list: readonly FileSum[];
  readonly #read: ReadonlyMap<string, Stats>;

  private constructor(list: readonly FileSum[], read: ReadonlyMap<string, Stats>) {
    this.list = list;
    this.#read = read;
  }

  /**
   * Reads files from beginning to end, one after the other: they are on one medium. Folders have no sum.
   *
   * @throws StorageError
   */
  static async of(
    paths: readonly string[],
    onProgress: OnProgress | undefined,
    signal: AbortSignal | undefined,
  ): Promise<FileSums> {
    const read = new Map<string, Stats>();
    for (const path of paths) {
      const stats = await stat(path);
      if (stats.isFile()) read.set(path, stats);
    }
    const bytes = [...read.values()].reduce((sum, { size }) => sum + size, 0);
    onProgress?.({ kind: "planned", blobs: read.size, bytes });
    const list: FileSum[] = [];
    for (const [path, { size }] of read)
      list.push({ name: basename(path), size, sha256: await sumOf(path, onProgress, signal) });
    return new FileSums(list, read);
  }

  /** @throws StorageError for a file that is not what it was when it was hashed. */
  async confirm(): Promise<void> {
    for (const [path, before] of this.#read) checkSame(`archive ${quote(path)}`, before, await stat(path));
  }
}

async function sumOf(
  path: string,
  onProgress: OnProgress | undefined,
  signal: AbortSignal | undefined,
): Promise<string> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const { size } = await file.stat();
  const blob = fileSliceBlob(file, 0, size, path);
  const label = `entry ${path}` as const;
  const onBytes = (delta: number): void => onProgress?.({ kind: "bytes", blob: label, delta });
  const hash = async (): Promise<Digest> => await hashBlob(blob, "sha256", signal, onBytes);
  const digest = await underWay(onProgress, { blob: label, bytes: size }, hash);
  onProgress?.({ kind: "done", blob: label, bytes: size });
  return digest.slice("sha256:".length);
}
