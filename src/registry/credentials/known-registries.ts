import { homedir } from "node:os";
import { readRegistryName } from "../../oci/registry-name.ts";
import { parseCredentialKey } from "./credential-key.ts";
import { configReaders } from "./find-credentials.ts";

/**
 * The registries for which docker or podman have credentials, as `host[:port]` in image references. Files that cannot be
 * read are left out. Only names are taken from them, and no credential helper is started.
 */
export async function knownRegistries(
  env: NodeJS.ProcessEnv = process.env,
  home: string = homedir(),
): Promise<readonly string[]> {
  const configs = await Promise.allSettled(configReaders(env, home).map(async read => await read()));
  const keys = configs.flatMap(result => (result.status === "fulfilled" ? (result.value?.keys ?? []) : []));
  const names = keys.flatMap(key => {
    const { registry } = parseCredentialKey(key);
    const read = readRegistryName(registry === "index.docker.io" ? "docker.io" : registry);
    return "name" in read ? [read.name] : [];
  });
  return [...new Set(names)];
}
