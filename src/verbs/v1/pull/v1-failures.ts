import type { LeftImage } from "../../../bundle/lock/lock.ts";
import { ImgpackError, PartialError } from "../../../errors.ts";
import { leftReason } from "../../requested/left-reason.ts";
import { failureText, neededBy } from "../../shared/attempts.ts";

/** Images that could not be pulled, by the name under which they can be asked for again. */
export class V1Failures {
  readonly #isKept: boolean;
  readonly #onFailed: (source: string, error: ImgpackError) => void;
  readonly #errors = new Map<string, ImgpackError>();

  /**
   * @param isKept false throws the first failure.
   * @param onFailed is called with each failure, also with one that is thrown.
   */
  constructor(isKept: boolean, onFailed: (source: string, error: ImgpackError) => void) {
    this.#isKept = isKept;
    this.#onFailed = onFailed;
  }

  /** @throws `error` unless failures are kept, and at once if the output cannot be written. */
  add(source: string, error: unknown, signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    if (!(error instanceof ImgpackError)) throw error;
    this.#onFailed(source, error);
    if (!this.#isKept || error.origin === "target") throw named(error, source);
    this.#errors.set(source, error);
  }

  has(source: string): boolean {
    return this.#errors.has(source);
  }

  /** @throws the first failure, if nothing is left to write. */
  checkLeft(images: number): void {
    const [first] = this.#errors;
    if (images > 0 || first === undefined) return;
    const [source, error] = first;
    throw named(error, source);
  }

  readonly left = (): readonly LeftImage[] =>
    [...this.#errors].map(([name, error]) => ({ name, why: leftReason(error) }));

  /** @throws PartialError if there are any. */
  settle<Result>(result: Result, total: number, hint: string): void {
    if (this.#errors.size === 0) return;
    const errors = [...this.#errors.values()];
    const head = `Cannot pull ${errors.length} of ${total} images`;
    throw new PartialError(failureText(head, errors, ", see --report", [...this.#errors.keys()]), errors, {
      failed: [...this.#errors.keys()],
      result,
      hint,
    });
  }
}

/** Of the image that is named last: the run ends. */
function named(error: ImgpackError, source: string): ImgpackError {
  if (error.origin !== "target") error.message = neededBy(error.message, [source]);
  return error;
}
