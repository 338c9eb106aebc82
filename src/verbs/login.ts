import { UsageError } from "../errors.ts";
import { checkLogin } from "../registry/api/ping.ts";
import { connectRegistry } from "../registry/client/connect-registry.ts";
import { findCredentials } from "../registry/credentials/find-credentials.ts";
import { storeCredentials } from "../registry/credentials/store-credentials.ts";
import type { ClientCertificate } from "../registry/http/tls-options.ts";

export interface LoginOptions {
  readonly username: string;
  readonly password: string;
  readonly plainHttp?: boolean | undefined;
  readonly insecure?: boolean | undefined;
  readonly ca?: string | undefined;
  readonly clientCertificate?: ClientCertificate | undefined;
  /** Stands for the process's own. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly home?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface LoginResult {
  readonly registry: string;
  readonly username: string;
  /** Configuration file. */
  readonly file: string;
  /** Program that keeps the password; absent: the file does, unencrypted. */
  readonly helper?: string;
  /** False: the registry lets everybody in, so nobody looked at the password. */
  readonly isChecked: boolean;
  /** Where other credentials for this registry stand, which are found before these. */
  readonly shadowedBy?: string;
}

/**
 * Logs in to a registry, and keeps user name and password where docker finds them.
 *
 * @param registry `host[:port]`, `docker.io` for Docker Hub.
 * @throws AuthError when the registry refuses, or when a configured helper does; nothing is kept then.
 */
export async function login(registry: string, options: LoginOptions): Promise<LoginResult> {
  const { username, password, plainHttp, insecure, ca, clientCertificate, env, home, signal } = options;
  if (username === "" || password === "" || username.includes(":")) {
    const found = password === "" ? "no password" : username === "" ? "no user name" : "a user name with a colon";
    throw new UsageError(`Cannot log in to ${registry}: ${found} given, expected a user name and a password`);
  }
  const clientCertificates = clientCertificate === undefined ? undefined : [clientCertificate];
  const chosen = { username, password, plainHttp, insecure, ca, clientCertificates, env, home };
  const client = await connectRegistry(registry, chosen, signal);
  await using _transport = client.transport;
  const isChecked = await checkLogin(client, signal);
  const { file, helper } = await storeCredentials(registry, { username, password }, { env, home, signal });
  const found = await findCredentials(registry, { env, home, signal });
  const isShadowed = found !== undefined && (found.username !== username || found.password !== password);
  return {
    registry,
    username,
    file,
    ...(helper === undefined ? {} : { helper }),
    isChecked,
    ...(isShadowed ? { shadowedBy: found.source } : {}),
  };
}
