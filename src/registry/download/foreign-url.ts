import { ImgpackError, NotFoundError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Repository } from "../client/repository.ts";
import { headerText } from "../http/headers.ts";
import { followRedirect } from "../origin/redirect-policy.ts";

/** Real layers name one or two. */
const MAX_URLS = 8;

/**
 * The first URL of a foreign layer that has a body of its size. Each URL counts as if the registry had redirected there:
 * the same addresses are allowed, and https stays https. No credentials are sent, and no challenge is answered (security
 * case A-01).
 *
 * @throws ImgpackError why the last URL cannot be used; NotFoundError for a layer without URLs.
 */
export async function findForeignUrl(
  repository: Repository,
  { digest, size, urls = [] }: Descriptor,
  signal: AbortSignal | undefined,
): Promise<URL> {
  const what = `foreign layer ${digest}`;
  const notFound = (where: string, found: string, expected: string): NotFoundError =>
    new NotFoundError(`Cannot pull ${what} from ${where}: ${found}, expected ${expected}`, {
      hint: "Without --foreign fetch, the layer is left out.",
    });
  let last: ImgpackError | undefined;
  for (const text of urls.slice(0, MAX_URLS)) {
    try {
      const { url } = followRedirect(repository.client.base, text, 1, new Set());
      const { headers } = await repository.call({
        verb: "pull",
        what,
        method: "HEAD",
        url,
        isForeign: true,
        headers: { "accept-encoding": "identity" },
        accept: [200],
        signal,
      });
      const length = headerText(headers, "content-length");
      if (length === undefined || Number(length) === size) return url;
      last = notFound(url.host, `${length} bytes there`, `${size}`);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof ImgpackError)) throw error;
      last = error;
    }
  }
  throw last ?? notFound(`${repository}`, "not there, and the image names no URL", "one of them");
}
