import { checkLoginWords, type StoredLogin, storeLogin } from "../../../registry/credentials/store-login.ts";
import { checkUser } from "../../../registry/v1/hub/hub-users.ts";
import { registryOptions } from "../../options/registry-options.ts";
import type { RemoteOptions } from "../../shared/remote-image.ts";
import { withV1Client } from "../with-v1-client.ts";
import { indexHost } from "./hub-connection.ts";

export interface HubLoginOptions extends RemoteOptions {
  readonly username: string;
  readonly password: string;
}

/** Where the credentials were stored. */
export interface HubLoginResult extends StoredLogin {
  /** `v1://HOST` */
  readonly registry: string;
  /** False if the index answers without a login as well, and so did not check the password. */
  readonly isChecked: boolean;
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
  checkLoginWords({ username, password }, `v1://${host}`);
  const registry = { ...registryOptions(options.registry), auth: { username, password } };
  const isChecked = await withV1Client(host, { ...options, registry }, async client => await checkUser(client, signal));
  const stored = await storeLogin(host, { username, password }, { signal, key: `https://${host}/v1/` });
  return { registry: `v1://${host}`, isChecked, ...stored };
}
