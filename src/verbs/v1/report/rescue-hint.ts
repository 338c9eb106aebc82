import {
  AuthError,
  type ImgpackError,
  IntegrityError,
  NetworkError,
  NotFoundError,
  RegistryError,
} from "../../../errors.ts";
import { LOST_HINT } from "../../../registry/v1/lost.ts";

const AGAIN = "Run the same command again.";

/** What to do about an image that could not be copied: what the error says, or else what helps with its kind. */
export function rescueHint(error: ImgpackError): string | undefined {
  if (error.hint !== undefined) return error.hint;
  const isSource = error.origin !== "target";
  if (error instanceof NotFoundError && isSource) return LOST_HINT;
  if (error instanceof IntegrityError && isSource) {
    return "The old registry has damaged bytes: restore the layer from a backup of its storage.";
  }
  if (error instanceof AuthError) {
    const login = isSource ? "imgpack hub login v1://HOST" : "imgpack login HOST";
    return `Log in with "${login}", or pass --username, and run the same command again.`;
  }
  if (error instanceof NetworkError || (error instanceof RegistryError && error.transient)) return AGAIN;
  return undefined;
}
