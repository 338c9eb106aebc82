import { UsageError } from "../../errors.ts";
import { registryHost } from "../../oci/reference.ts";
import { canonicalRegistry } from "../../registry/credentials/credential-key.ts";
import type { RegistryOptions } from "../options/registry-options.ts";

/**
 * Decides which registries may get the credentials of a call, and be reached with less care than others: those that the
 * caller names. A name from an archive or a list is only a proposal (security case M-06).
 */
export class NamedRegistries {
  readonly #named: ReadonlySet<string>;
  readonly #options: readonly string[];
  readonly #hasCredentials: boolean;
  /** The registry that the credentials belong to: the first one. */
  #owner: string | undefined;

  /** @param named registries in the arguments of the call. */
  constructor(options: RegistryOptions, named: readonly string[]) {
    const { host, defaultHost, auth } = options;
    this.#named = new Set([host, defaultHost, ...named].flatMap(registry => (registry ? [keyOf(registry)] : [])));
    this.#options = restrictedOptions(options);
    this.#hasCredentials = [auth?.username, auth?.password, auth?.token].some(value => value !== undefined);
  }

  /** @throws UsageError unless the options of the call may be used for all of these registries. */
  admit(registries: readonly string[]): void {
    for (const registry of registries) {
      const key = keyOf(registry);
      if (this.#options.length > 0 && !this.#named.has(key)) throw this.#unnamed(registry);
      if (!this.#hasCredentials) continue;
      this.#owner ??= key;
      if (this.#owner !== key) throw this.#second(registry);
    }
  }

  #unnamed(registry: string): UsageError {
    return new UsageError(
      `Cannot use ${this.#options.join(", ")} for ${registry}: an archive or a list names it, expected a registry that you name`,
      {
        hint: `Name it with --registry, --to or --tag, or as a reference; or run "imgpack login ${registry}" and leave out the credentials.`,
      },
    );
  }

  #second(registry: string): UsageError {
    return new UsageError(
      `Cannot log in to ${registry}: credentials were given for ${this.#owner}, expected one registry`,
      {
        hint: `Credentials given on the command line go to one registry only; for several, run "imgpack login ${registry}" before.`,
      },
    );
  }
}

/** Options that send a secret to a registry, or trust it more than others, as messages name them. */
function restrictedOptions({ auth, tls }: RegistryOptions): readonly string[] {
  const given: readonly (readonly [string, boolean])[] = [
    ["--username", auth?.username !== undefined || auth?.password !== undefined],
    ["--token-stdin", auth?.token !== undefined],
    ["--cert-file", tls?.clientCertificate !== undefined],
    ["--ca-file", tls?.ca !== undefined],
    ["--plain-http", tls?.plainHttp === true],
    ["--insecure", tls?.insecure === true],
  ];
  return given.flatMap(([name, isGiven]) => (isGiven ? [name] : []));
}

function keyOf(registry: string): string {
  return canonicalRegistry(registryHost(registry));
}
