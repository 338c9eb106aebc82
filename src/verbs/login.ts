import { checkLogin } from "../registry/api/ping.ts";
import { connectRegistry } from "../registry/client/connect-registry.ts";
import { checkLoginWords, storeLogin } from "../registry/credentials/store-login.ts";
import { checkedOptions, type OptionsShape } from "../util/options/checked-options.ts";
import { ENVIRONMENT, group, required, TEXT } from "../util/options/option-kinds.ts";
import { COMMON } from "./options/common-options.ts";
import { checkText } from "./options/option-values.ts";
import { type RegistryTls, TLS } from "./options/registry-options.ts";

/** Options of `login`. */
export interface LoginOptions {
  readonly username: string;
  readonly password: string;
  /** How the connection to the registry is secured. */
  readonly tls?: RegistryTls | undefined;
  /** Replaces the environment of the process, which says where credentials are stored. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Replaces the home folder of the user. */
  readonly home?: string | undefined;
  /** Stops the call; its promise rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

const LOGIN_OPTIONS: OptionsShape<LoginOptions> = {
  username: required(TEXT),
  password: required(TEXT),
  tls: group(TLS),
  env: ENVIRONMENT,
  home: TEXT,
  signal: COMMON.signal,
};

/** Where `login` stored the credentials. */
export interface LoginResult {
  readonly registry: string;
  readonly username: string;
  /** Path of the configuration file. */
  readonly file: string;
  /** Credential helper that stores the password. Absent: the password is in `file`, unencrypted. */
  readonly helper?: string;
  /** False if the registry allows anonymous access and so did not check the password. */
  readonly isChecked: boolean;
  /** Source of other credentials for this registry that take precedence over these. */
  readonly shadowedBy?: string;
}

/**
 * Logs in to a registry, and stores user name and password where docker stores them.
 *
 * @param registry `host[:port]`, `docker.io` for Docker Hub.
 * @throws AuthError if the registry refuses, or if a configured helper fails; then nothing is stored.
 * @throws UsageError without a user name or password; NetworkError, StorageError
 * @example
 * ```ts
 * import { login } from "imgpack";
 *
 * const { file } = await login("registry.lan:5000", { username: "ci", password: process.env["CI_TOKEN"] ?? "" });
 * console.log(`stored in ${file}`);
 * ```
 */
export async function login(registry: string, options: LoginOptions): Promise<LoginResult> {
  checkText("log in", "a registry", registry);
  options = checkedOptions(options, LOGIN_OPTIONS);
  const { username, password, tls, env, home, signal } = options;
  checkLoginWords({ username, password }, registry);
  const chosen = {
    username,
    password,
    plainHttp: tls?.plainHttp,
    insecure: tls?.insecure,
    ca: tls?.ca,
    clientCertificates: tls?.clientCertificate && [tls.clientCertificate],
    env,
    home,
  };
  const client = await connectRegistry(registry, chosen, signal);
  await using _transport = client.transport;
  const isChecked = await checkLogin(client, signal);
  return { registry, isChecked, ...(await storeLogin(registry, { username, password }, { env, home, signal })) };
}
