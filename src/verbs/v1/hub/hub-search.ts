import { UsageError } from "../../../errors.ts";
import { searchPages, type V1SearchResult } from "../../../registry/v1/store/search-pages.ts";
import { quote } from "../../../util/format.ts";
import type { RemoteOptions } from "../../shared/remote-image.ts";
import { withV1Client } from "../with-v1-client.ts";
import { indexHost } from "./hub-connection.ts";

export interface SearchIndexOptions extends RemoteOptions {
  /** `v1://HOST[:PORT]`; default v1://index.docker.io. */
  readonly host?: string | undefined;
  /** Results at most. Default: all. */
  readonly limit?: number | undefined;
}

export interface HubSearchResult {
  /** `v1://HOST` */
  readonly index: string;
  readonly term: string;
  /** In the order of the index; foreign text. */
  readonly results: readonly V1SearchResult[];
}

const MAX_TERM = 512;

/** Finds repositories at an index. @throws NotFoundError if it has no search; UsageError, AuthError, NetworkError, RegistryError */
export async function searchIndex(term: string, options: SearchIndexOptions): Promise<HubSearchResult> {
  const { limit = Number.POSITIVE_INFINITY, signal } = options;
  const host = indexHost(options.host);
  if (term === "" || term.length > MAX_TERM || /\p{C}/u.test(term)) {
    throw new UsageError(
      `Cannot search for ${quote(term)}: found no text, or control characters, expected up to ${MAX_TERM} characters`,
    );
  }
  if (options.limit !== undefined && !(Number.isSafeInteger(limit) && limit >= 1)) {
    throw new UsageError(`Cannot use limit: found ${limit}, expected a whole number from 1`);
  }
  const results: V1SearchResult[] = [];
  await withV1Client(host, options, async client => {
    for await (const page of searchPages(client, term, signal)) {
      for (const result of page.slice(0, limit - results.length)) results.push(result);
      if (results.length >= limit) break;
    }
  });
  return { index: `v1://${host}`, term, results };
}
