import { ImgpackError, PartialError } from "../../errors.ts";
import { quote } from "../../util/format.ts";

/** Of one message; all failures are in the error. */
const MAX_REASONS = 10;

/**
 * The message of several failures: in one line if all have one reason, else with a line for each reason. Many inputs may
 * fail for one reason.
 *
 * @param more follows the number of reasons that are left out.
 * @param inputs that the failures are of: each reason names the first of its own.
 */
export function failureText(head: string, failures: readonly Error[], more = "", inputs?: readonly string[]): string {
  const inputsBy = new Map<string, string[]>();
  for (const [index, { message }] of failures.entries()) {
    const input = inputs?.[index];
    inputsBy.set(message, [...(inputsBy.get(message) ?? []), ...(input === undefined ? [] : [input])]);
  }
  const reasons = [...inputsBy].map(([reason, names]) => neededBy(reason, names));
  if (reasons.length === 1) return `${head}: ${reasons[0]}`;
  const lines = reasons.slice(0, MAX_REASONS);
  if (reasons.length > MAX_REASONS) lines.push(`and ${reasons.length - MAX_REASONS} more${more}`);
  return [`${head}:`, ...lines].join("\n").replaceAll("\n", "\n  ");
}

/** A reason, such as a damaged layer, with what needs it; as it is if it names its input. */
export function neededBy(reason: string, [first, ...others]: readonly string[]): string {
  if (first === undefined || reason.includes(first)) return reason;
  return `${reason} (needed by ${quote(first)}${others.length === 0 ? "" : ` and ${others.length} more`})`;
}

/** Inputs of one call that do not depend on each other: one that fails does not stop the next. */
export class Attempts {
  readonly #failures: ImgpackError[] = [];
  readonly #failed: (readonly string[])[] = [];
  readonly #total: number;
  readonly #isAlone: boolean;
  readonly #signal: AbortSignal | undefined;
  #done = 0;

  /**
   * @param total number of inputs.
   * @param isPart whether the call has more inputs than these: one of them is then not the whole call. Default false.
   */
  constructor(total: number, signal: AbortSignal | undefined, isPart = false) {
    this.#total = total;
    this.#isAlone = total === 1 && !isPart;
    this.#signal = signal;
  }

  /**
   * @param input as the user gave it; several if they are one source.
   * @param count number of inputs that the task is for.
   * @throws what `task` throws if it is for the only input of the call, and what is no error of the input.
   */
  async run(input: string | readonly string[], task: () => Promise<void>, count = 1): Promise<void> {
    try {
      await task();
      this.#done += count;
    } catch (error) {
      this.#signal?.throwIfAborted();
      if (!(error instanceof ImgpackError) || this.#isAlone) throw error;
      this.#failures.push(error);
      this.#failed.push([input].flat());
    }
  }

  /** Number of inputs that did not fail. */
  get done(): number {
    return this.#done;
  }

  get failures(): readonly ImgpackError[] {
    return this.#failures;
  }

  /**
   * @param task what cannot be done, for example "push images to".
   * @param what the inputs, in the plural.
   * @param hint what became of the others.
   * @param more follows the number of reasons that the message leaves out; with it, reasons name their inputs.
   * @returns `result`.
   * @throws PartialError with `result` if an input failed; it has the exit code of the failures if all failed with the same.
   */
  settle<Result>(task: string, what: string, result: Result, hint: string, more?: string): Result {
    const failures = this.#failures;
    if (failures.length === 0) return result;
    // Where all failed for the same reason, what helps is the same.
    const [help, ...otherHelp] = new Set(failures.map(failure => failure.hint));
    const helping = help === undefined || otherHelp.length > 0 ? "" : ` ${help}`;
    const head = `Cannot ${task} ${this.#total - this.#done} of ${this.#total} ${what}`;
    const inputs = more === undefined ? undefined : this.#failed.map(([first = ""]) => first);
    throw new PartialError(failureText(head, failures, more, inputs), failures, {
      failed: [...new Set(this.#failed.flat())],
      result,
      nothingDone: this.#done === 0,
      hint: `${this.#done === 0 ? "Fix the cause and run the same command again." : hint}${helping}`,
    });
  }
}
