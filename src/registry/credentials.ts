import { homedir } from "node:os";
import { join } from "node:path";
import { AuthError, UsageError } from "../errors.ts";
import { quote } from "../util/format.ts";
import { askCredentialHelper } from "./credential-helper.ts";
import { type DockerConfig, readDockerConfig } from "./docker-config.ts";

/** A secret for exactly one registry. */
export interface Credentials {
  /** Empty when there is only an identity token. */
  readonly username: string;
  readonly password: string;
  /** Long-lived token that buys access tokens (docker's `identitytoken`, an OAuth 2 refresh token). */
  readonly identityToken?: string;
  /** Where it was found, for messages: a flag or a file name. */
  readonly source: string;
}

export interface CredentialOptions {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** For keys of a namespace (`registry.lan/team`); without it only keys of the whole registry count. */
  readonly repository?: string | undefined;
  readonly env?: NodeJS.ProcessEnv;
  readonly home?: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Credentials of a registry: flags, then `REGISTRY_AUTH_FILE` (if set, only this file), podman's auth.json files, docker's
 * config.json. Within a file: the registry's own helper, an entry with content, the default helper. Only exact names
 * match; undefined means anonymous.
 *
 * @param registry `host` or `host:port`, as in image references.
 * @throws UsageError for half a pair of flags; AuthError when a configured source cannot be read or its helper fails.
 */
export async function findCredentials(
  registry: string,
  options: CredentialOptions = {},
): Promise<Credentials | undefined> {
  const { username, password } = options;
  if (username !== undefined || password !== undefined) {
    if (username && password) return { username, password, source: "--username" };
    throw new UsageError(
      `Cannot log in to ${registry}: ${username ? "no password" : "no user name"} given, expected both`,
      { hint: "Pass --username together with --password-stdin." },
    );
  }
  const env = options.env ?? process.env;
  const named = env["REGISTRY_AUTH_FILE"];
  for (const file of named ? [named] : defaultFiles(env, options.home ?? homedir())) {
    const config = await readDockerConfig(file);
    if (config === undefined && named) {
      throw new AuthError(`Cannot read credentials from ${quote(file)}: no such file, expected an auth.json`, {
        hint: "REGISTRY_AUTH_FILE names this file.",
      });
    }
    const found = config === undefined ? undefined : await findInConfig(config, registry, { ...options, env });
    if (found !== undefined) return found;
  }
  return undefined;
}

function defaultFiles(env: NodeJS.ProcessEnv, home: string): readonly string[] {
  const configHome = env["XDG_CONFIG_HOME"] || join(home, ".config");
  const runtime = env["XDG_RUNTIME_DIR"];
  const system = process.platform === "linux" ? [`/run/containers/${process.getuid?.() ?? 0}/auth.json`] : [];
  return [
    ...(runtime ? [join(runtime, "containers", "auth.json")] : system),
    join(configHome, "containers", "auth.json"),
    join(env["DOCKER_CONFIG"] || join(home, ".docker"), "config.json"),
  ];
}

async function findInConfig(
  config: DockerConfig,
  registry: string,
  options: CredentialOptions & { readonly env: NodeJS.ProcessEnv },
): Promise<Credentials | undefined> {
  const own = config.findHelper(registry);
  const fromOwn = own === undefined ? undefined : await fromHelper(own, config.file, registry, options);
  if (fromOwn !== undefined) return fromOwn;
  const entry = config.findAuth(registry, options.repository ?? "");
  if (entry !== undefined) return { ...entry, source: config.file };
  const { defaultHelper } = config;
  return defaultHelper === undefined ? undefined : await fromHelper(defaultHelper, config.file, registry, options);
}

async function fromHelper(
  name: string,
  file: string,
  registry: string,
  { env, signal }: CredentialOptions & { readonly env: NodeJS.ProcessEnv },
): Promise<Credentials | undefined> {
  const answer = await askCredentialHelper(name, registry, { env, signal });
  if (answer === undefined) return undefined;
  const source = `docker-credential-${name} (${file})`;
  return answer.username === "<token>"
    ? { username: "", password: "", identityToken: answer.secret, source }
    : { username: answer.username, password: answer.secret, source };
}
