import { UsageError } from "../../../errors.ts";
import { findCredentials } from "../../../registry/credentials/find-credentials.ts";
import { storeCredentials } from "../../../registry/credentials/store-credentials.ts";
import { checkUser } from "../../../registry/v1/hub/hub-users.ts";
import { registryOptions } from "../../options/registry-options.ts";
import { type HubOptions, indexHost, withIndex } from "./hub-connection.ts";

export interface HubLoginOptions extends HubOptions {
  readonly username: string;
  readonly password: string;
}

/** Where the credentials were stored. */
export interface HubLoginResult {
  /** `v1://HOST` */
  readonly registry: string;
  readonly username: string;
  /** Path of the configuration file. */
  readonly file: string;
  /** Credential helper that stores the password. Absent: the password is in `file`, unencrypted. */
  readonly helper?: string;
  /** False if the index answers without a login as well, and so did not check the password. */
  readonly isChecked: boolean;
  /** Source of other credentials for this host that take precedence over these. */
  readonly shadowedBy?: string;
}

/**
 * Logs in to an index, and stores user name and password where docker stored them: under `https://HOST/v1/`.
 *
 * @param index `v1://HOST[:PORT]`; default v1://index.docker.io.
 * @throws AuthError if the index refuses, or if a configured helper fails; then nothing is stored.
 * @throws UsageError without a user name or password; NetworkError, RegistryError, StorageError
 */
export async function hubLogin(index: string | undefined, options: HubLoginOptions): Promise<HubLoginResult> {
  const { username, password, signal } = options;
  const host = indexHost(index);
  if (username === "" || password === "" || /[:\p{Cc}]/u.test(username)) {
    const found = password === "" ? "no password" : username === "" ? "no user name" : "a user name with a colon";
    throw new UsageError(`Cannot log in to v1://${host}: ${found} given, expected a user name and a password`);
  }
  const registry = { ...registryOptions(options.registry), auth: { username, password } };
  const isChecked = await withIndex(host, { ...options, registry }, async client => await checkUser(client, signal));
  const { file, helper } = await storeCredentials(host, { username, password }, { signal, key: `https://${host}/v1/` });
  const found = await findCredentials(host, { signal });
  const isShadowed = found !== undefined && (found.username !== username || found.password !== password);
  return {
    registry: `v1://${host}`,
    username,
    file,
    ...(helper === undefined ? {} : { helper }),
    isChecked,
    ...(isShadowed ? { shadowedBy: found.source } : {}),
  };
}
