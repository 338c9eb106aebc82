import { type LookupAddress, type LookupOptions, lookup } from "node:dns";
import type { LookupFunction } from "node:net";
import { NetworkError } from "../../errors.ts";
import { type AddressKind, addressKind, forbiddenAddress, isInside } from "./address.ts";

/** Address kinds of the hosts that one registry leads to, as far as connections have resolved them. */
export class KnownHosts {
  readonly #home: string;
  readonly #kinds = new Map<string, readonly AddressKind[]>();

  /** @param home Host of the registry itself. */
  constructor(home: string) {
    this.#home = home;
  }

  /** Resolves names for connections, remembers their address kinds, and refuses hosts that a registry must not name. */
  readonly lookup: LookupFunction = (host: string, options: LookupOptions, callback) => {
    lookup(host, options, (error, address: string | LookupAddress[], family) => {
      const addresses = typeof address === "string" ? [address] : (address ?? []).map(entry => entry.address);
      if (error === null) {
        this.#kinds.set(
          host,
          addresses.map(text => addressKind(text)),
        );
      }
      callback(error ?? this.refusal(host), address, family);
    });
  };

  isInside(host: string): boolean {
    return isInside(this.#kindsOf(host));
  }

  /** Why nothing may be sent to a host; null when it may. A name is judged once it is resolved. */
  refusal(host: string): NetworkError | null {
    const home = this.#home;
    const found = host === home ? undefined : forbiddenAddress(this.#kindsOf(host), this.#kindsOf(home));
    if (found === undefined) return null;
    return new NetworkError(`Cannot connect to ${host}: ${found}, expected one that ${home} may lead to`, {
      hint: `The registry ${home} named this host, not you; nothing was sent to it.`,
    });
  }

  #kindsOf(host: string): readonly AddressKind[] {
    const kind = addressKind(host);
    return kind === "name" ? (this.#kinds.get(host) ?? []) : [kind];
  }
}
