import { UsageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";

/** Where a server listens, or is to listen. */
export interface ListenAddress {
  /** Name or address, without brackets. */
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
}

/**
 * Parses `HOST:PORT`, with brackets around an address of IPv6. Without HOST it is 127.0.0.1.
 *
 * @throws UsageError
 */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:(\[[0-9a-fA-F:.%a-z0-9]+\]|[^:[\]]*):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) {
    throw new UsageError(
      `Cannot listen on ${quote(text)}: malformed, expected HOST:PORT, such as 127.0.0.1:5000 or [::1]:5000`,
    );
  }
  return { host: (match[1] || "127.0.0.1").replace(/^\[|\]$/g, ""), port };
}

/** `HOST:PORT`, as URLs and `--listen` have it. */
export function addressText({ host, port }: ListenAddress): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
