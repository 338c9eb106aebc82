import { failedImage } from "../../content/progress.ts";
import { runImages } from "../../copy/claims/run-images.ts";
import { planning } from "../../copy/events/planning.ts";
import { ImgpackError } from "../../errors.ts";
import { append } from "../../util/append.ts";
import { blameChangedInput } from "../../util/input-guard.ts";
import { Attempts } from "../shared/attempts.ts";
import { idOf } from "../shared/choose-image.ts";
import type { Destination } from "../shared/destinations.ts";
import { imageAt, imagesOf } from "./destination-names.ts";
import type { PlannedArchive } from "./plan-archives.ts";
import type { PushedImage, PushResult } from "./push-options.ts";
import { type PushRun, pushToRepository } from "./push-to-repository.ts";
import { isOfOneImage } from "./refused-image.ts";

/** What became of some images of one repository. */
interface Outcome {
  /** With these images alone. */
  readonly destination: Destination;
  readonly result: readonly PushedImage[] | ImgpackError;
}

/**
 * Pushes the images of one archive, to several repositories at once unless it is read from front to back. An image that fails
 * does not stop the others.
 */
export async function pushArchive(
  planned: PlannedArchive,
  run: PushRun,
  images: PushedImage[],
  resultOf: () => Promise<PushResult>,
): Promise<void> {
  const { paths, opened, targets, nameless } = planned;
  const { archive, source } = opened;
  const { signal, concurrency } = run.options;
  const { onProgress } = run.options;
  const total = targets.reduce((sum, { roots }) => sum + roots.length, nameless.length);
  const attempts = new Attempts(total, signal);
  const outcomes: (readonly Outcome[])[] = [];
  // What was read in one pass is in its first repository alone, or has to be read again for each.
  const isSequential = source.streamed !== undefined || opened.sentTo !== undefined;
  let isStopped = false;
  await runImages(
    targets.entries(),
    { atMost: isSequential ? 1 : concurrency, signal },
    async ([index, destination], place, stop) => {
      if (isStopped) return;
      const found = await planning(onProgress, imagesOf(destination), async listener => {
        const own = { ...run, place, options: { ...run.options, onProgress: listener, signal: stop } };
        return await outcomesOf(planned, destination, own);
      });
      outcomes[index] = found;
      for (const outcome of found) {
        const { destination: ended, result } = outcome;
        for (const name of namesOf(ended)) {
          onProgress(
            result instanceof ImgpackError ? failedImage(name, result) : { kind: "image", name, state: "done" },
          );
        }
      }
      // What is wrong with the archive, or this machine, is wrong for the other repositories, too.
      isStopped ||= found.some(({ result }) => result instanceof ImgpackError && result.origin === "source");
    },
  );
  for (const { destination, result } of outcomes.flat()) {
    await attempts.run(
      paths,
      async () => {
        if (result instanceof ImgpackError) throw result;
        append(images, result);
      },
      destination.roots.length,
    );
  }
  for (const error of nameless) await attempts.run(paths, async () => await Promise.reject(error));
  const [first, ...others] = attempts.failures;
  const isOneCause = others.every(({ exitCode }) => exitCode === first?.exitCode);
  if (first !== undefined && attempts.done === 0 && isOneCause) throw first;
  const hint = "The others are pushed. Fix the cause and push the archive again.";
  attempts.settle("push", `images of ${archive.what}`, await resultOf(), hint);
}

/** The images of a destination, as events name them. */
function namesOf(destination: Destination): readonly string[] {
  return destination.roots.flatMap(root =>
    (root.names.length === 0 ? [idOf(root)] : root.names).map(text => imageAt(destination, text)),
  );
}

async function outcomesOf(
  planned: PlannedArchive,
  destination: Destination,
  run: PushRun,
): Promise<readonly Outcome[]> {
  const { roots } = destination;
  const whole = await outcomeOf(planned, destination, run);
  if (roots.length < 2 || !isOfOneImage(whole.result)) return [whole];
  const found: Outcome[] = [];
  for (const root of roots) found.push(await outcomeOf(planned, { ...destination, roots: [root] }, run));
  return found;
}

/** @throws what is no error of the images. */
async function outcomeOf({ opened }: PlannedArchive, destination: Destination, run: PushRun): Promise<Outcome> {
  try {
    const push = async (): Promise<readonly PushedImage[]> => await pushToRepository(opened, destination, run);
    return { destination, result: await blameChangedInput(async () => await opened.archive.confirm(), push) };
  } catch (error) {
    run.options.signal?.throwIfAborted();
    if (!(error instanceof ImgpackError)) throw error;
    return { destination, result: error };
  }
}
