import { homedir } from "node:os";
import { join } from "node:path";
import { AuthError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import { SingleFlight } from "../../util/lazy/single-flight.ts";
import { askCredentialHelper, type HelperAnswer } from "./credential-helper.ts";
import { type DockerConfig, parseDockerConfig, readDockerConfig, readDockercfg } from "./docker-config.ts";
import { type ChosenCredentials, type Credentials, chosenCredentials } from "./given-credentials.ts";

/** How long an answer of a program counts: passwords of clouds end after an hour or so. */
const FRESH_MS = 60_000;

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
  const chosen = chosenCredentials(registry, options, options.env ?? process.env);
  return chosen ?? (await findIn(new CredentialSources(options), registry, options));
}

async function findIn(
  sources: CredentialSources,
  registry: string,
  options: CredentialOptions,
): Promise<Credentials | undefined> {
  for (const read of sources.configs) {
    const config = await read();
    const found = config === undefined ? undefined : await findInConfig(config, registry, options, sources);
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
  const known = new Map<string, Credentials | undefined>();
  const flights = new SingleFlight<Credentials | undefined>();
  const answers = new Map<string, Credentials>();
  const sources = new CredentialSources(options);
  return async (repository, signal) => {
    const find = async (own: AbortSignal): Promise<Credentials | undefined> =>
      await findIn(sources, registry, { ...options, repository, signal: own });
    // After a failure it is looked for again: the user may have fixed it.
    const found = known.has(repository) ? known.get(repository) : await flights.run(repository, find, signal);
    known.set(repository, found);
    if (found === undefined) return undefined;
    const identity = JSON.stringify(found);
    const same = answers.get(identity) ?? found;
    answers.set(identity, same);
    return same;
  };
}

/** Files and programs that have credentials, in their order. Each file is read once. */
class CredentialSources {
  readonly configs: readonly (() => Promise<DockerConfig | undefined>)[];
  readonly #env: NodeJS.ProcessEnv;
  readonly #flights = new SingleFlight<HelperAnswer | undefined>();
  readonly #answers = new Map<string, { readonly answer: HelperAnswer | undefined; readonly time: number }>();

  constructor({ env = process.env, home = homedir() }: CredentialOptions) {
    this.#env = env;
    this.configs = configReaders(env, home).map(readOnce);
  }

  /** What a program says depends on the registry alone, so it is not started for each of thousands of repositories. */
  async askHelper(name: string, registry: string, signal: AbortSignal | undefined): Promise<HelperAnswer | undefined> {
    const key = `${name} ${registry}`;
    const known = this.#answers.get(key);
    if (known !== undefined && performance.now() - known.time < FRESH_MS) return known.answer;
    const ask = async (own: AbortSignal): Promise<HelperAnswer | undefined> =>
      await askCredentialHelper(name, registry, { env: this.#env, signal: own });
    const answer = await this.#flights.run(key, ask, signal);
    this.#answers.set(key, { answer, time: performance.now() });
    return answer;
  }
}

/** A file that cannot be read is read again by the next call: the user may have fixed it. */
function readOnce(read: () => Promise<DockerConfig | undefined>): () => Promise<DockerConfig | undefined> {
  let known: Promise<DockerConfig | undefined> | undefined;
  return async () => {
    known ??= read();
    return await known.catch(error => {
      known = undefined;
      throw error;
    });
  };
}

/** Reads the files that can have credentials, in their order. Each reader rejects with AuthError if it cannot. */
export function configReaders(
  env: NodeJS.ProcessEnv,
  home: string,
): readonly (() => Promise<DockerConfig | undefined>)[] {
  const named = env["REGISTRY_AUTH_FILE"];
  if (named) return [async () => await readNamed(named)];
  const inline = env["DOCKER_AUTH_CONFIG"];
  return [
    ...podmanFiles(env, home).map(file => async () => await readDockerConfig(file)),
    async () => (inline ? parseDockerConfig(Buffer.from(inline), "DOCKER_AUTH_CONFIG") : undefined),
    async () => await readDockerConfig(dockerConfigFile(env, home)),
    async () => await readDockercfg(join(home, ".dockercfg")),
  ];
}

async function readNamed(file: string): Promise<DockerConfig> {
  const config = await readDockerConfig(file);
  if (config !== undefined) return config;
  throw new AuthError(`Cannot read credentials from ${quote(file)}: no such file, expected an auth.json`, {
    hint: "REGISTRY_AUTH_FILE names this file.",
  });
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
  { repository = "", signal }: CredentialOptions,
  sources: CredentialSources,
): Promise<Credentials | undefined> {
  const fromHelper = async (name: string): Promise<Credentials | undefined> =>
    helpedBy(name, config.file, await sources.askHelper(name, registry, signal));
  const own = config.findHelper(registry);
  const fromOwn = own === undefined ? undefined : await fromHelper(own);
  if (fromOwn !== undefined) return fromOwn;
  const entry = config.findAuth(registry, repository);
  if (entry !== undefined) return { ...entry, source: config.file };
  const { defaultHelper } = config;
  return defaultHelper === undefined ? undefined : await fromHelper(defaultHelper);
}

function helpedBy(name: string, file: string, answer: HelperAnswer | undefined): Credentials | undefined {
  if (answer === undefined) return undefined;
  const source = `docker-credential-${name} (${file})`;
  return answer.username === "<token>"
    ? { username: "", password: "", identityToken: answer.secret, source }
    : { username: answer.username, password: answer.secret, source };
}
