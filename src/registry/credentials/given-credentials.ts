import { UsageError } from "../../errors.ts";
import { registryHost } from "../../oci/reference.ts";
import { canonicalRegistry } from "./credential-key.ts";

/** A secret for exactly one registry. */
export interface Credentials {
  /** Empty when there is only an identity token. */
  readonly username: string;
  readonly password: string;
  /** Long-lived token that is exchanged for access tokens (docker's `identitytoken`, an OAuth 2 refresh token). */
  readonly identityToken?: string;
  /** Access token that is sent to the registry unchanged (docker's `registrytoken`). */
  readonly registryToken?: string;
  /** Where it was found, for messages: a flag or a file name. */
  readonly source: string;
}

/** Credentials given for this run; they belong to one registry. */
export interface ChosenCredentials {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Access token that is sent to the registry unchanged. */
  readonly token?: string | undefined;
}

/**
 * Credentials from flags, else from the environment: IMGPACK_USERNAME and IMGPACK_PASSWORD, or IMGPACK_TOKEN. Those of
 * the environment are only for the registry that IMGPACK_REGISTRY names.
 *
 * @throws UsageError for half a pair, a pair in addition to a token, or an environment that names no registry.
 */
export function chosenCredentials(
  registry: string,
  chosen: ChosenCredentials,
  env: NodeJS.ProcessEnv,
): Credentials | undefined {
  const fromFlags = check(registry, chosen, "flags");
  if (fromFlags !== undefined) return fromFlags;
  const fromEnv: ChosenCredentials = {
    username: env["IMGPACK_USERNAME"] || undefined,
    password: env["IMGPACK_PASSWORD"] || undefined,
    token: env["IMGPACK_TOKEN"] || undefined,
  };
  if (Object.values(fromEnv).every(value => value === undefined)) return undefined;
  const named = env["IMGPACK_REGISTRY"]?.split("/", 1)[0];
  if (!named) {
    throw new UsageError(
      "Cannot use IMGPACK_USERNAME, IMGPACK_PASSWORD or IMGPACK_TOKEN: no registry named, expected IMGPACK_REGISTRY",
      { hint: "Credentials belong to one registry: name it, or write them to docker's configuration with login." },
    );
  }
  const isMeant = canonicalRegistry(registryHost(named)) === canonicalRegistry(registryHost(registry));
  return isMeant ? check(registry, fromEnv, "environment") : undefined;
}

type Place = "flags" | "environment";

const SOURCES = {
  flags: { pair: "--username", token: "--token-stdin", both: "--username together with --password-stdin" },
  environment: {
    pair: "IMGPACK_USERNAME",
    token: "IMGPACK_TOKEN",
    both: "IMGPACK_USERNAME together with IMGPACK_PASSWORD",
  },
} as const satisfies Record<Place, object>;

function check(
  registry: string,
  { username, password, token }: ChosenCredentials,
  place: Place,
): Credentials | undefined {
  const { pair, token: tokenName, both } = SOURCES[place];
  if (token !== undefined) {
    // A token is copied into a header (security case A-14).
    if (!/^[\x21-\x7e]{1,65536}$/.test(token)) {
      throw new UsageError(`Cannot use ${tokenName}: blank or control character in it, expected one line of a token`);
    }
    if (username === undefined && password === undefined) {
      return { username: "", password: "", registryToken: token, source: tokenName };
    }
    throw new UsageError(`Cannot log in to ${registry}: a token and a user given, expected one of them`, {
      hint: `Leave out ${pair} or ${tokenName}.`,
    });
  }
  if (username === undefined && password === undefined) return undefined;
  if (username && password) return { username, password, source: pair };
  throw new UsageError(
    `Cannot log in to ${registry}: ${username ? "no password" : "no user name"} given, expected a user name and a password`,
    { hint: `Pass ${both}.` },
  );
}
