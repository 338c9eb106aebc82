import { fixedPace } from "../../util/pace/pace.ts";
import { TaskGroup } from "../../util/task-group.ts";

/** Most of the time of a small image goes to requests that wait for each other. */
export const IMAGES_AT_ONCE = 16;
/** Of the manifests of images that stand aside: what a plan takes in memory is about ten times as much. */
const MAX_ASIDE_BYTES = 4 * 1024 * 1024;
/** What an image takes at least, in the same measure. */
const MIN_ASIDE_BYTES = 4096;

/** One of the images that a call works on at once. */
export interface Place {
  /**
   * Lets another image begin while `wait` lasts, unless too many wait so already.
   *
   * @param bytes of the manifests that the image keeps in memory meanwhile.
   * @throws what `wait` throws, or the reason of the abort.
   */
  aside(bytes: number, wait: () => Promise<void>, signal: AbortSignal | undefined): Promise<void>;
}

export interface RunImagesOptions {
  /** Never more images at work at once than this. Default IMAGES_AT_ONCE, which is the most. */
  readonly atMost?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `task` over images as `runBounded` does. One that only waits for a blob that another one is sending does not count: it
 * steps aside.
 *
 * @throws the first failure, when all tasks have ended.
 */
export async function runImages<T>(
  images: Iterable<T>,
  { atMost = IMAGES_AT_ONCE, signal }: RunImagesOptions,
  task: (image: T, place: Place, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const places = fixedPace(Math.min(IMAGES_AT_ONCE, atMost));
  const failed = new AbortController();
  await using tasks = new TaskGroup(Number.POSITIVE_INFINITY, signal, error => failed.abort(error));
  let asideBytes = 0;
  for (const image of [...images]) {
    tasks.check();
    let leave = await places.enter(failed.signal);
    const aside: Place["aside"] = async (given, wait, stop) => {
      const bytes = Math.max(MIN_ASIDE_BYTES, given);
      if (asideBytes + bytes > MAX_ASIDE_BYTES) return await wait();
      asideBytes += bytes;
      leave();
      try {
        await wait();
        leave = await places.enter(stop);
      } finally {
        asideBytes -= bytes;
      }
    };
    void tasks.start(async stop => await task(image, { aside }, stop)).finally(() => leave());
  }
  await tasks.ended();
}
