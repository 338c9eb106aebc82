import { homedir } from "node:os";
import { askCredentialHelper, eraseFromHelper, serverKey, storeInHelper } from "./credential-helper.ts";
import { canonicalRegistry, parseCredentialKey } from "./credential-key.ts";
import { readDockerConfig } from "./docker-config.ts";
import { editAuths } from "./edit-docker-config.ts";
import { dockerConfigFile } from "./find-credentials.ts";

export interface StoreOptions {
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly home?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Key of `auths`. Default: as docker names the registry. */
  readonly key?: string | undefined;
}

/** Where credentials are stored. */
export interface CredentialPlace {
  /** The configuration file. */
  readonly file: string;
  /** Program that keeps the secret. Absent when the file contains it, unencrypted. */
  readonly helper: string | undefined;
}

/**
 * Stores a login the way docker does: with the registry's own helper, else the default helper, else in `auths` of its
 * config.json (of the file that REGISTRY_AUTH_FILE names, if it is set).
 *
 * @param registry `host` or `host:port`.
 * @throws AuthError when the helper or the file is broken; StorageError when the file cannot be written.
 */
export async function storeCredentials(
  registry: string,
  login: { readonly username: string; readonly password: string },
  options: StoreOptions = {},
): Promise<CredentialPlace> {
  const place = await placeOf(registry, options);
  const { username, password } = login;
  const key = options.key ?? serverKey(registry);
  if (place.helper !== undefined) {
    const env = options.env ?? process.env;
    await storeInHelper(place.name, registry, { username, secret: password }, { env, signal: options.signal });
  }
  const auth = Buffer.from(`${username}:${password}`, "utf8").toString("base64");
  await editAuths(
    place.file,
    auths => {
      // In addition to a helper, docker keeps an empty entry, as the list of logins.
      auths.set(key, place.helper === undefined ? { auth } : {});
      return true;
    },
    options.signal,
  );
  return { file: place.file, helper: place.helper };
}

/**
 * Undoes `storeCredentials`, however docker spells the registry in the file; entries of namespaces stay.
 *
 * @returns undefined when there was nothing.
 */
export async function eraseCredentials(
  registry: string,
  options: StoreOptions = {},
): Promise<CredentialPlace | undefined> {
  const place = await placeOf(registry, options);
  const helperOptions = { env: options.env ?? process.env, signal: options.signal };
  let wasThere = false;
  if (place.helper !== undefined && (await askCredentialHelper(place.name, registry, helperOptions)) !== undefined) {
    await eraseFromHelper(place.name, registry, helperOptions);
    wasThere = true;
  }
  await editAuths(
    place.file,
    auths => {
      const keys = [...auths.keys()].filter(key => isWholeRegistry(key, registry));
      for (const key of keys) auths.delete(key);
      wasThere ||= keys.length > 0;
      return keys.length > 0;
    },
    options.signal,
  );
  return wasThere ? { file: place.file, helper: place.helper } : undefined;
}

async function placeOf(
  registry: string,
  { env = process.env, home = homedir() }: StoreOptions,
): Promise<CredentialPlace & { readonly name: string }> {
  const file = env["REGISTRY_AUTH_FILE"] || dockerConfigFile(env, home);
  const config = await readDockerConfig(file);
  const name = config?.findHelper(registry) ?? config?.defaultHelper;
  return { file, name: name ?? "", helper: name === undefined ? undefined : `docker-credential-${name}` };
}

function isWholeRegistry(key: string, registry: string): boolean {
  const parsed = parseCredentialKey(key);
  return parsed.path === "" && parsed.registry === canonicalRegistry(registry);
}
