import { NotFoundError } from "../../errors.ts";

/** What to do about a part of an image that its registry, or its storage folder, does not have. */
export const LOST_HINT =
  "The old registry lacks it: look for the image in a backup of its storage, on a host that still runs it, or in an archive.";

/** Reads a part of an image. @throws NotFoundError with a hint, if the registry does not have it. */
export async function hintingAtLost<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof NotFoundError) || error.hint !== undefined) throw error;
    throw new NotFoundError(error.message, { hint: LOST_HINT, cause: error });
  }
}
