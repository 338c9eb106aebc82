/** Docker Hub has many names; the list is closed (security case A-07). */
const DOCKER_HUB: ReadonlySet<string> = new Set(["docker.io", "index.docker.io", "registry-1.docker.io"]);

/** The name of Docker Hub in docker and its credential helpers. */
export const DOCKER_HUB_KEY = "https://index.docker.io/v1/";

/** The one spelling under which credentials of a registry (`host` or `host:port`) are compared. */
export function canonicalRegistry(registry: string): string {
  const name = registry.toLowerCase();
  return DOCKER_HUB.has(name) ? "index.docker.io" : name;
}

/** A key of a credentials file: a registry, or with `path` one namespace or repository of it. */
export interface CredentialKey {
  readonly registry: string;
  /** `team/app`; empty for the whole registry. */
  readonly path: string;
}

/**
 * Reads a key of `auths` or `credHelpers`. Docker wrote URLs (`https://host/v1/`), containers tools write
 * `host/namespace`; a path after a scheme names an API version, never a namespace.
 */
export function parseCredentialKey(key: string): CredentialKey {
  const scheme = /^https?:\/\//i.exec(key)?.[0] ?? "";
  const rest = key.slice(scheme.length);
  const slash = rest.indexOf("/");
  const host = slash === -1 ? rest : rest.slice(0, slash);
  const path = slash === -1 ? "" : rest.slice(slash + 1).replace(/\/$/, "");
  const isApiRoot = scheme !== "" || /^(v1|v2)?$/.test(path);
  return { registry: canonicalRegistry(host), path: isApiRoot ? "" : path };
}

/** Length of the path of a key that covers `repository`, 0 for the whole registry; undefined when it does not cover it. */
export function keyMatch(key: string, registry: string, repository: string): number | undefined {
  const parsed = parseCredentialKey(key);
  if (parsed.registry !== canonicalRegistry(registry)) return undefined;
  const isWithin = parsed.path === "" || repository === parsed.path || repository.startsWith(`${parsed.path}/`);
  return isWithin ? parsed.path.length : undefined;
}
