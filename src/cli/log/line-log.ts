import { type DiskFile, openForAppend } from "../../util/disk.ts";

const MODE = 0o600;
/** Lines that wait for a slow disk; what comes on top is counted, and left out. */
const MAX_WAITING_CHARACTERS = 16 * 1024 * 1024;
/** So much is written before the next flush is due. */
const FLUSH_CHARACTERS = 256 * 1024;

/**
 * A file that lines are appended to, each in one piece, so that several processes may append to one file. Lines are written in
 * order, by `flush`.
 */
export class LineLog {
  readonly #file: DiskFile;
  readonly #onFault: (error: unknown) => void;
  #lines: string[] = [];
  #waiting = 0;
  #writing: Promise<void> = Promise.resolve();
  #isBroken = false;
  #leftOut = 0;

  private constructor(file: DiskFile, onFault: (error: unknown) => void) {
    this.#file = file;
    this.#onFault = onFault;
  }

  /**
   * Opens the file, which is made readable for its owner alone if it is not there.
   *
   * @param onFault is called once, with the first line that cannot be written; those after it are dropped.
   * @throws StorageError
   */
  static async open(path: string, onFault: (error: unknown) => void): Promise<LineLog> {
    return new LineLog(await openForAppend(path, MODE), onFault);
  }

  async kind(): Promise<"file" | "device" | "other"> {
    const stats = await this.#file.stat();
    if (stats.isFile()) return "file";
    return stats.isCharacterDevice() ? "device" : "other";
  }

  /** The first characters of the file. */
  async start(length: number): Promise<string> {
    const into = Buffer.alloc(length);
    return into.toString("latin1", 0, await this.#file.read(into, 0));
  }

  /** Ends a line that was cut, by a full disk or a power cut: the next one begins a line of its own. */
  async endCutLine(): Promise<void> {
    const { size } = await this.#file.stat();
    const last = Buffer.alloc(1);
    if (size > 0 && (await this.#file.read(last, size - 1)) === 1 && last.toString() !== "\n") this.#lines.push("\n");
  }

  /** Lines that were left out since the last call. */
  takeLeftOut(): number {
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    return leftOut;
  }

  /** @param isNeeded whether the line is kept however many wait. */
  add(line: string, isNeeded: boolean = false): void {
    if (this.#isBroken) return;
    if (this.#waiting > MAX_WAITING_CHARACTERS && !isNeeded) {
      this.#leftOut += 1;
      return;
    }
    this.#lines.push(`${line}\n`);
    const isDue = this.#waiting < FLUSH_CHARACTERS && this.#waiting + line.length >= FLUSH_CHARACTERS;
    this.#waiting += line.length + 1;
    if (isDue) void this.flush();
  }

  /** Writes what waits. */
  async flush(): Promise<void> {
    this.#writing = this.#writing.then(async () => await this.#write());
    await this.#writing;
  }

  /** Writes what waits before this call returns: the process is about to end. */
  flushNow(): void {
    const bytes = this.#take();
    if (bytes === undefined) return;
    try {
      this.#file.appendNow(bytes);
    } catch {
      // There is nothing left to tell it.
    }
  }

  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.#file.close();
    }
  }

  async #write(): Promise<void> {
    const bytes = this.#take();
    if (bytes === undefined) return;
    try {
      await this.#file.write(bytes);
    } catch (error) {
      this.#isBroken = true;
      this.#onFault(error);
    }
  }

  #take(): Uint8Array | undefined {
    if (this.#lines.length === 0 || this.#isBroken) return undefined;
    const bytes = Buffer.from(this.#lines.join(""));
    this.#lines = [];
    this.#waiting = 0;
    return bytes;
  }
}
