import { type ImgpackError, PartialError } from "../../errors.ts";
import type { UndeliveredReferrer } from "../../registry/referrers/deliver-referrers.ts";
import { counted } from "../../util/format.ts";

/** Referrers that a registry did not take, although it has their images now. */
export class Undelivered {
  readonly #failures: ImgpackError[] = [];
  readonly #names: string[] = [];
  readonly #inputs = new Set<string>();

  /**
   * @param input that the image came from, as the user named it.
   * @param repository `registry/repository`
   */
  readonly collect =
    (input: string, repository: string) =>
    ({ referrer, error }: UndeliveredReferrer): void => {
      const { descriptor, tag, subject } = referrer;
      const about = tag ?? (subject === undefined ? "" : `of ${subject}`);
      this.#names.push(`${repository}@${descriptor.digest} (${about})`);
      this.#failures.push(error);
      this.#inputs.add(input);
    };

  /**
   * What is carried is delivered, or named: the images are there, but the run has not done all that it was to do.
   *
   * @param settle gives the result, or throws what else has failed.
   * @throws PartialError that names each referrer.
   */
  settle<Result>(verb: "push" | "copy", settle: () => Result): Result {
    let result: Result | undefined;
    let other: PartialError<Result> | undefined;
    try {
      result = settle();
    } catch (error) {
      if (!(error instanceof PartialError) || this.#failures.length === 0) throw error;
      other = error;
    }
    if (this.#failures.length === 0) return result as Result;
    const reasons = [...new Set(this.#failures.map(({ message }) => message))].join("; ");
    const before = other === undefined ? "" : `${other.message}${other.message.includes("\n") ? "\n" : "; "}`;
    throw new PartialError<Result>(
      `${before}Cannot ${verb} ${counted(this.#names.length, "referrer")} (signatures, SBOMs, attestations): ${this.#names.join(", ")}: ${reasons}`,
      [...(other?.failures ?? []), ...this.#failures],
      {
        failed: [...new Set([...(other?.failed ?? []), ...this.#inputs])],
        result: other?.result ?? result,
        hint:
          other?.hint ??
          "The images are there. Fix the cause and run the same command again, or leave the referrers out with --no-referrers.",
      },
    );
  }
}
