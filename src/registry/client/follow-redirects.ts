import { type HeaderMap, headerText } from "../http/headers.ts";
import { originOf } from "../origin/origin.ts";
import { crossOriginHeaders, followRedirect } from "../origin/redirect-policy.ts";

/** One request of a chain of redirects. */
export interface Hop {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: HeaderMap;
  /** Reads the rest of a redirect's body, so that its connection can be used again. */
  dump?(): Promise<void>;
}

export interface Chain<A extends Answer | undefined> {
  /** Origin of the registry: the only one that gets credentials. */
  readonly home: URL;
  /** True for a URL that an image names: it gets no credentials, whatever its origin (security case A-01). */
  readonly isForeign: boolean;
  /** Redirects of GET and HEAD are followed; other answers are returned as they are. */
  readonly isRead: boolean;
  readonly headers: Readonly<Record<string, string>>;
  /** The headers of an upload belong to its body, and go with it to another host. */
  readonly hasBody: boolean;
  /** The Authorization value for the registry, if one is known yet. */
  readonly authorize: () => Promise<string | undefined>;
  /** The Cookie value for the registry: it goes where credentials go. */
  readonly cookies?: () => string | undefined;
  /** Called for each redirect of the registry itself: what it says there is lost otherwise. */
  readonly onRedirect?: ((headers: HeaderMap) => void) | undefined;
  /** True for a host in a private network or on this machine. */
  readonly isInside: (url: URL) => boolean;
  /** Undefined ends the chain. */
  readonly send: (hop: Hop) => Promise<A>;
}

export interface Followed<A> {
  /** The first answer that is not a redirect to follow. */
  readonly answer: A;
  /** False once a redirect has left the registry's origin. */
  readonly isHome: boolean;
  /** The Authorization value that was sent, if any. */
  readonly authorization: string | undefined;
}

/**
 * Sends a request and follows redirects. Credentials go to the registry's own origin only, and never again after a
 * redirect has left it (security case A-04).
 *
 * @throws RegistryError for a redirect that is not allowed.
 */
export async function followRedirects<A extends Answer | undefined>(first: URL, chain: Chain<A>): Promise<Followed<A>> {
  const seen = new Set<string>();
  let url = first;
  let isHome = !chain.isForeign && originOf(url) === originOf(chain.home);
  for (let hop = 1; ; hop += 1) {
    const authorization = isHome ? await chain.authorize() : undefined;
    const cookie = isHome ? chain.cookies?.() : undefined;
    const own = {
      ...chain.headers,
      ...(authorization === undefined ? {} : { authorization }),
      ...(cookie === undefined ? {} : { cookie }),
    };
    const answer = await chain.send({ url, headers: isHome || chain.hasBody ? own : crossOriginHeaders(own) });
    const location = answer === undefined ? undefined : headerText(answer.headers, "location");
    const isRedirect = answer !== undefined && answer.status >= 300 && answer.status <= 399;
    if (!chain.isRead || !isRedirect || location === undefined) return { answer, isHome, authorization };
    if (isHome) chain.onRedirect?.(answer.headers);
    await answer.dump?.();
    const fromIsPrivate = chain.isInside(url);
    const redirect = followRedirect(url, location, hop, seen, { status: answer.status, fromIsPrivate });
    url = redirect.url;
    isHome &&= redirect.sameOrigin;
  }
}
