import type { Scope } from "../auth/authenticator.ts";
import type { Challenge } from "../auth/challenge.ts";
import type { Authorizer } from "../client/identity.ts";
import type { Credentials, CredentialsFor } from "../credentials/find-credentials.ts";
import { basicAuthorization } from "../http/basic-authorization.ts";

/** Basic with every request: the v1 protocol has no challenge that one would wait for. Only for the index itself. */
export class IndexAuthorizer implements Authorizer {
  readonly #credentials: CredentialsFor;
  /** A proxy in front of the index and its registry wants Basic everywhere, whatever token the registry has made up. */
  isBasicOnly = false;
  readonly #secrets = new Set<string>();

  constructor(credentials: CredentialsFor) {
    this.#credentials = credentials;
  }

  /** What has been sent: no message may contain it. */
  get secrets(): readonly string[] {
    return [...this.#secrets];
  }

  async credentialsFor(repository: string, signal?: AbortSignal): Promise<Credentials | undefined> {
    return await this.#credentials(repository, signal);
  }

  async authorization({ repository }: Pick<Scope, "repository">, signal?: AbortSignal): Promise<string | undefined> {
    const credentials = await this.#credentials(repository, signal);
    for (const secret of [credentials?.password, credentials?.registryToken]) if (secret) this.#secrets.add(secret);
    if (credentials?.password) return basicAuthorization(credentials);
    return credentials?.registryToken === undefined ? undefined : `Token ${credentials.registryToken}`;
  }

  async answer(): Promise<boolean> {
    return false;
  }
}

/** The token that the index gave for one repository and access. */
export class TokenAuthorizer implements Authorizer {
  readonly #token: () => string | undefined;
  readonly #index: IndexAuthorizer | undefined;

  /** @param index of an endpoint at the origin of the index. */
  constructor(token: () => string | undefined, index: IndexAuthorizer | undefined) {
    this.#token = token;
    this.#index = index;
  }

  async credentialsFor(repository: string, signal?: AbortSignal): Promise<Credentials | undefined> {
    return await this.#index?.credentialsFor(repository, signal);
  }

  async authorization(scope: Scope, signal?: AbortSignal): Promise<string | undefined> {
    const token = this.#token();
    if (token !== undefined && this.#index?.isBasicOnly !== true) return `Token ${token}`;
    return await this.#index?.authorization(scope, signal);
  }

  async answer(
    challenges: readonly Challenge[],
    scope: Scope,
    sent: string | undefined,
    signal?: AbortSignal,
  ): Promise<boolean> {
    if (this.#index === undefined || !challenges.some(({ scheme }) => scheme === "basic")) return false;
    const basic = await this.#index.authorization(scope, signal);
    if (basic === undefined || basic === sent) return false;
    this.#index.isBasicOnly = true;
    return true;
  }
}
