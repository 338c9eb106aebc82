import type { Cookies } from "../client/identity.ts";
import { type HeaderMap, headerList } from "../http/headers.ts";

const MAX_COOKIES = 20;
/** Of one cookie. RFC 6265, section 6.1. */
const MAX_BYTES = 4096;
const COOKIE = /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*("?)([\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*)\2\s*(;.*)?$/;

/**
 * The cookies of one repository at one origin. Old registries bind what they remember of an upload to a repository, so no
 * two repositories share a jar.
 */
export class CookieJar implements Cookies {
  readonly #values = new Map<string, string>();

  get header(): string | undefined {
    return this.#values.size === 0
      ? undefined
      : [...this.#values].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  /** What the jar holds: for messages, which must not contain it. */
  get secrets(): readonly string[] {
    return [...this.#values.values()];
  }

  take(headers: HeaderMap): void {
    for (const line of headerList(headers, "set-cookie")) {
      const [, name, , value, attributes = ""] = line.length > MAX_BYTES ? [] : (COOKIE.exec(line) ?? []);
      if (name === undefined || value === undefined) continue;
      if (isExpired(attributes)) this.#values.delete(name);
      else if (this.#values.has(name) || this.#values.size < MAX_COOKIES) this.#values.set(name, value);
    }
  }
}

function isExpired(attributes: string): boolean {
  return /;\s*max-age\s*=\s*(?:-[0-9]|0+\s*(?:;|$))/i.test(attributes);
}
