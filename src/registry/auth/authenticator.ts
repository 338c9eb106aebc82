import { AuthError } from "../../errors.ts";
import { SingleFlight } from "../../util/lazy/single-flight.ts";
import type { Credentials, CredentialsFor } from "../credentials/find-credentials.ts";
import { basicAuthorization } from "../http/basic-authorization.ts";
import { originOf } from "../origin/origin.ts";
import type { BearerChallenge, Challenge } from "./challenge.ts";
import { checkRealm, type ResolveHost } from "./realm-policy.ts";
import { type Scope, tokenScopes } from "./scope.ts";
import { type FetchToken, requestToken, type TokenQuestion } from "./token-request.ts";

export type { Scope } from "./scope.ts";
export type { FetchToken, TokenHttpRequest } from "./token-request.ts";

export interface AuthenticatorOptions {
  /** Any URL of the registry; its origin is the one that the credentials belong to. */
  readonly registry: URL;
  /** For the whole registry, or for each repository: configuration files may name namespaces. */
  readonly credentials: Credentials | CredentialsFor | undefined;
  readonly fetchToken: FetchToken;
  readonly now?: () => number;
  /** Pass `async () => []` behind a proxy, where names cannot be resolved here. */
  readonly resolve?: ResolveHost;
}

interface CachedToken {
  readonly authorization: string;
  readonly refreshAt: number;
}

/** A token that expires during a long upload makes the closing PUT fail, so tokens are renewed early. */
const REFRESH_SHARE = 0.8;

/** `Authorization` values for one registry origin; never shared between origins or identities (security case A-09). */
export class Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #now: () => number;
  readonly #tokens = new Map<string, CachedToken>();
  readonly #flights = new SingleFlight<CachedToken>();
  /** Per scope, since some registries have a token server per repository. */
  readonly #questions = new Map<string, TokenQuestion>();
  /** The scheme of the last challenge. */
  #scheme: Challenge["scheme"] | undefined;
  /** Realm origin and service that each identity token was first sent to (security case A-23). */
  readonly #identityHomes = new Map<string, string>();
  /** Numbers the identities, so that no cache key contains a secret. */
  readonly #identities = new WeakMap<Credentials, number>();
  #identityCount = 0;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** The credentials for a repository. @throws AuthError when a configured source is broken. */
  async credentialsFor(repository: string, signal?: AbortSignal): Promise<Credentials | undefined> {
    const { credentials } = this.#options;
    return typeof credentials === "function" ? await credentials(repository, signal) : credentials;
  }

  /**
   * The value to send with a request, renewed after 80 % of its lifetime; undefined until the registry has challenged a
   * request of this scope. Only for requests to the registry's own origin.
   *
   * @throws AuthError when the token server refuses to renew; RegistryError or NetworkError when it is not available.
   */
  async authorization(scope: Scope, signal?: AbortSignal): Promise<string | undefined> {
    const credentials = await this.credentialsFor(scope.repository, signal);
    if (this.#scheme === "basic") return basicOf(credentials);
    if (this.#scheme === "bearer" && credentials?.registryToken) return `Bearer ${credentials.registryToken}`;
    const question = this.#questions.get(scopeKey(scope));
    return question === undefined ? undefined : (await this.#token(question, signal)).authorization;
  }

  /**
   * Answers the challenges of a 401.
   *
   * @param sent the `Authorization` value of the refused request.
   * @returns true when a retry with `authorization(scope)` may succeed; another 401 then means "not allowed".
   *   False when there is nothing better to send.
   * @throws AuthError when the token server must not be trusted, or refuses.
   */
  async answer(
    challenges: readonly Challenge[],
    scope: Scope,
    sent: string | undefined,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const bearer = challenges.find(challenge => challenge.scheme === "bearer");
    if (bearer !== undefined) return await this.#answerBearer(bearer, scope, sent, signal);
    if (!challenges.some(({ scheme }) => scheme === "basic")) return false;
    const basic = basicOf(await this.credentialsFor(scope.repository, signal));
    // A refused password is not sent again: Docker Hub and others lock accounts for it.
    if (basic === undefined || basic === sent) return false;
    this.#scheme = "basic";
    return true;
  }

  async #answerBearer(
    challenge: BearerChallenge,
    scope: Scope,
    sent: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const { registry, resolve } = this.#options;
    const credentials = await this.credentialsFor(scope.repository, signal);
    if (credentials?.registryToken) {
      this.#scheme = "bearer";
      // A registry token is given by the user, so there is no token server to request another one from.
      return sent !== `Bearer ${credentials.registryToken}`;
    }
    const realm = await checkRealm(challenge.realm, registry, resolve);
    const { service } = challenge;
    this.#checkIdentityHome(realm, service, credentials);
    const scopes = tokenScopes(scope, challenge.scope);
    const question: TokenQuestion = { realm, service, scopes, registry: registry.host, credentials };
    const key = this.#tokenKey(question);
    // Another request may have renewed the token while this one was sent with the old one.
    if (this.#tokens.get(key)?.authorization === sent) this.#tokens.delete(key);
    await this.#token(question, signal);
    this.#questions.set(scopeKey(scope), question);
    this.#scheme = "bearer";
    return true;
  }

  async #token(question: TokenQuestion, signal: AbortSignal | undefined): Promise<CachedToken> {
    const key = this.#tokenKey(question);
    const known = this.#tokens.get(key);
    if (known !== undefined && this.#now() < known.refreshAt) return known;
    return await this.#flights.run(key, async flightSignal => await this.#fetch(key, question, flightSignal), signal);
  }

  async #fetch(key: string, question: TokenQuestion, signal: AbortSignal): Promise<CachedToken> {
    // The lifetime cannot have started before the request.
    const start = this.#now();
    const { value, lifeMs } = await requestToken(question, this.#options.fetchToken, signal);
    const token = { authorization: `Bearer ${value}`, refreshAt: start + lifeMs * REFRESH_SHARE };
    this.#tokens.set(key, token);
    return token;
  }

  /** One registry origin has one authenticator, so origin + service + scopes + identity (security case A-09). */
  #tokenKey({ realm, service, scopes, credentials }: TokenQuestion): string {
    return JSON.stringify([realm.href, service ?? null, scopes, this.#identityOf(credentials)]);
  }

  #identityOf(credentials: Credentials | undefined): number {
    if (credentials === undefined) return 0;
    const known = this.#identities.get(credentials);
    if (known !== undefined) return known;
    this.#identityCount += 1;
    this.#identities.set(credentials, this.#identityCount);
    return this.#identityCount;
  }

  #checkIdentityHome(realm: URL, service: string | undefined, credentials: Credentials | undefined): void {
    const token = credentials?.identityToken;
    if (token === undefined) return;
    const home = `${originOf(realm)} ${service ?? ""}`;
    const known = this.#identityHomes.get(token) ?? home;
    this.#identityHomes.set(token, known);
    if (known === home) return;
    throw new AuthError(
      `Cannot log in to ${this.#options.registry.host}: token server moved to ${realm.host}, expected the same one`,
      { hint: "The identity token was not sent there; log in with user name and password." },
    );
  }
}

function basicOf(credentials: Credentials | undefined): string | undefined {
  return credentials?.password ? basicAuthorization(credentials) : undefined;
}

function scopeKey({ repository, actions, mountFrom }: Scope): string {
  return `${actions} ${repository} ${mountFrom ?? ""}`;
}
