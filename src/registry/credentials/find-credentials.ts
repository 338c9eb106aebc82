import { homedir } from "node:os";
import { join } from "node:path";
import { AuthError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import { askCredentialHelper } from "./credential-helper.ts";
import { type DockerConfig, parseDockerConfig, readDockerConfig, readDockercfg } from "./docker-config.ts";
import { type ChosenCredentials, type Credentials, chosenCredentials } from "./given-credentials.ts";

export type { Credentials } from "./given-credentials.ts";

/** Credentials for a repository of one registry; the same object for the same answer. */
export type CredentialsFor = (repository: string, signal?: AbortSignal) => Promise<Credentials | undefined>;

export interface CredentialOptions extends ChosenCredentials {
  /** For keys of a namespace (`registry.lan/team`); by default only keys of the whole registry count. */
  readonly repository?: string | undefined;
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly home?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Credentials of a registry: flags, then the environment, then `REGISTRY_AUTH_FILE` (if set, only this file), podman's
 * auth.json files, `DOCKER_AUTH_CONFIG`, docker's config.json, `~/.dockercfg`. Within a file: the registry's own helper,
 * an entry with content, the default helper. Only exact names match; undefined means anonymous.
 *
 * @param registry `host` or `host:port`, as in image references.
 * @throws UsageError for half a pair of flags; AuthError when a configured source cannot be read or its helper fails.
 */
export async function findCredentials(
  registry: string,
  options: CredentialOptions = {},
): Promise<Credentials | undefined> {
  const env = options.env ?? process.env;
  const chosen = chosenCredentials(registry, options, env);
  if (chosen !== undefined) return chosen;
  for await (const config of configs(env, options.home ?? homedir())) {
    const found = await findInConfig(config, registry, { ...options, env });
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * `findCredentials` for every repository of a registry, each once, because a helper may prompt the user.
 *
 * @throws UsageError immediately, for flags and environment.
 */
export function credentialsFor(registry: string, options: CredentialOptions = {}): CredentialsFor {
  const chosen = chosenCredentials(registry, options, options.env ?? process.env);
  if (chosen !== undefined) return async () => chosen;
  const known = new Map<string, Promise<Credentials | undefined>>();
  const answers = new Map<string, Credentials>();
  return async (repository, signal) => {
    const asked = known.get(repository) ?? findCredentials(registry, { ...options, repository, signal });
    known.set(repository, asked);
    const found = await asked.catch(error => {
      // The user may have fixed it, or only this caller has gone.
      known.delete(repository);
      throw error;
    });
    if (found === undefined) return undefined;
    const identity = JSON.stringify(found);
    const same = answers.get(identity) ?? found;
    answers.set(identity, same);
    return same;
  };
}

async function* configs(env: NodeJS.ProcessEnv, home: string): AsyncGenerator<DockerConfig> {
  const named = env["REGISTRY_AUTH_FILE"];
  if (named) {
    const config = await readDockerConfig(named);
    if (config !== undefined) return yield config;
    throw new AuthError(`Cannot read credentials from ${quote(named)}: no such file, expected an auth.json`, {
      hint: "REGISTRY_AUTH_FILE names this file.",
    });
  }
  for (const file of podmanFiles(env, home)) {
    const config = await readDockerConfig(file);
    if (config !== undefined) yield config;
  }
  const inline = env["DOCKER_AUTH_CONFIG"];
  if (inline) yield parseDockerConfig(Buffer.from(inline), "DOCKER_AUTH_CONFIG");
  const docker = await readDockerConfig(dockerConfigFile(env, home));
  if (docker !== undefined) yield docker;
  const old = await readDockercfg(join(home, ".dockercfg"));
  if (old !== undefined) yield old;
}

export function dockerConfigFile(env: NodeJS.ProcessEnv, home: string): string {
  return join(env["DOCKER_CONFIG"] || join(home, ".docker"), "config.json");
}

function podmanFiles(env: NodeJS.ProcessEnv, home: string): readonly string[] {
  const configHome = env["XDG_CONFIG_HOME"] || join(home, ".config");
  const runtime = env["XDG_RUNTIME_DIR"];
  const system = process.platform === "linux" ? [`/run/containers/${process.getuid?.() ?? 0}/auth.json`] : [];
  return [
    ...(runtime ? [join(runtime, "containers", "auth.json")] : system),
    join(configHome, "containers", "auth.json"),
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
