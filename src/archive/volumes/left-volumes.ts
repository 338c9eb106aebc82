import { formatBytes, quote } from "../../util/format.ts";
import type { WantedVolume } from "./found-volumes.ts";

/** Notes about what interrupted runs leave of a set: one for all of its files. */
export class LeftVolumes {
  readonly #output: string;
  readonly #onNote: ((text: string) => void) | undefined;
  #files = 0;
  #bytes = 0;

  constructor(output: string, onNote: ((text: string) => void) | undefined) {
    this.#output = output;
    this.#onNote = onNote;
  }

  /** Counts a file that is kept. */
  readonly add = (bytes: number): void => {
    this.#files += 1;
    this.#bytes += bytes;
  };

  tell(): void {
    if (this.#files === 0) return;
    const what = this.#files === 1 ? "One volume" : `${this.#files} volumes`;
    this.#onNote?.(
      `${what} of ${quote(this.#output)} keep${this.#files === 1 ? "s" : ""} ${formatBytes(this.#bytes)} under .partial names: run the same command again to resume, or remove them and their journals`,
    );
  }

  /** @param bytes that an earlier run left. */
  resumed(bytes: number, wanted: readonly WantedVolume[]): void {
    if (bytes === 0) return;
    const total = wanted.reduce((sum, { planned }) => sum + planned.archive.totalBytes, 0);
    this.#onNote?.(
      `Resuming the volumes of ${quote(this.#output)}: ${formatBytes(bytes)} of ${formatBytes(total)} kept`,
    );
  }
}
