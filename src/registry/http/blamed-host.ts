import type { ImgpackError } from "../../errors.ts";

const blamed = new WeakMap<ImgpackError, URL>();

/** Notes which URL a failure is about: a redirect, or a token server, may be elsewhere than the registry. */
export function blame<E extends ImgpackError>(error: E, url: URL): E {
  blamed.set(error, url);
  return error;
}

/** The URL that a failure is about, as far as it is known. */
export function blamedUrl(error: ImgpackError): URL | undefined {
  return blamed.get(error);
}
