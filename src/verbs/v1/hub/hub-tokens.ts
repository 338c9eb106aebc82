import { UsageError } from "../../../errors.ts";
import type { HubAccess } from "../../../registry/v1/hub/hub-repository.ts";
import type { RemoteOptions } from "../../shared/remote-image.ts";
import { withRepository } from "./hub-connection.ts";

export interface ReadTokenOptions extends RemoteOptions {
  readonly access: HubAccess;
  /** Is called before a token for a deletion is requested, because the request is that for a deletion. */
  readonly confirm: (repository: string) => Promise<boolean>;
}

export interface TokenFacts {
  /** `NAMESPACE/NAME` that the token names; foreign text. */
  readonly repository: string;
  /** What the token allows; foreign text. */
  readonly access: string;
}

export interface HubTokenResult extends TokenFacts {
  /** A secret. */
  readonly token: string;
  readonly endpoints: readonly string[];
}

/** @returns undefined unless `confirm` returned true. @throws RegistryError if the index gives no token */
export async function readToken(text: string, options: ReadTokenOptions): Promise<HubTokenResult | undefined> {
  const { access, confirm } = options;
  return await withRepository(text, options, async (repository, name) => {
    if (access === "delete" && !(await confirm(name))) return undefined;
    const token = await repository.token(access);
    return { ...factsOf(token), endpoints: repository.session.endpoints, token };
  });
}

/**
 * Asks an index whether a token that it gave is right.
 *
 * @throws AuthError if it is not; UsageError for a text that is no token.
 */
export async function authorizeToken(
  text: string,
  options: RemoteOptions & { readonly token: string },
): Promise<TokenFacts> {
  const token = options.token.trim().replace(/^Token\s+/i, "");
  if (!/^[\x20-\x7e]{1,8192}$/.test(token)) {
    throw new UsageError(
      "Cannot check token: found other characters, or too many, expected one line of printable ASCII",
    );
  }
  return await withRepository(text, options, async repository => {
    await repository.authorize(token);
    return factsOf(token);
  });
}

/** What a token says of itself: `signature=…,repository="ns/name",access=read`. */
function factsOf(token: string): TokenFacts {
  const repository = /(?:^|,)\s*repository="([^"]*)"/.exec(token)?.[1] ?? "unknown";
  const access = /(?:^|,)\s*access="?([a-z,]+)"?/.exec(token)?.[1] ?? "unknown";
  return { repository, access };
}
