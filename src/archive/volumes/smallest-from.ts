import { BLOCK_BYTES } from "../../bundle/volumes/volume-request.ts";

/**
 * The smallest number that is enough, in steps of a block, if each larger one is enough, too.
 *
 * @param start a guess.
 */
export async function smallestFrom(start: number, isEnough: (size: number) => Promise<boolean>): Promise<number> {
  let [below, most] = [0, start];
  if (await isEnough(start)) {
    for (let step = BLOCK_BYTES; most > BLOCK_BYTES; step *= 2) {
      below = Math.max(0, most - step);
      if (below === 0 || !(await isEnough(below))) break;
      most = below;
    }
  } else {
    below = start;
    most = start + BLOCK_BYTES;
    for (let step = BLOCK_BYTES; !(await isEnough(most)); step *= 2) {
      below = most;
      most += step;
    }
  }
  while (most - below > BLOCK_BYTES) {
    const middle = Math.ceil((below + most) / 2 / BLOCK_BYTES) * BLOCK_BYTES;
    if (await isEnough(middle)) most = middle;
    else below = middle;
  }
  return most;
}
