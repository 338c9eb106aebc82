import type { ServedRegistry } from "../../content/served-registry.ts";
import type { Catalogue } from "../model/catalogue.ts";
import type { LayerListings } from "../model/layer/layer-listings.ts";
import type { PageContent } from "./frame.ts";

/** What a page is made from. */
export interface PageRequest {
  readonly registry: ServedRegistry;
  /** Reads manifests, unless they are known. */
  readonly catalogue: () => Promise<Catalogue>;
  /** Lists of files. */
  readonly layers: LayerListings;
  /** After the part of the path that chose the page, decoded; foreign text. */
  readonly rest: string;
  /** Foreign text. Parameters that a page does not know are ignored. */
  readonly query: URLSearchParams;
  /** `host:port` as this client may use it. */
  readonly host: string;
  readonly isTls: boolean;
  /** Whether it asks for a login. */
  readonly isPrivate: boolean;
  readonly isReadOnly: boolean;
  /** Name of the folder, without its path; undefined for archives. */
  readonly store: string | undefined;
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal;
}

/** One answer, for people and for programs alike. */
export interface PageResult {
  /** Default 200. */
  readonly status?: number;
  /** False: it changes without a new generation, so that no cache may keep it. Default true. */
  readonly isKept?: boolean;
  /** For requests that accept text/html; undefined for what only programs read. */
  readonly page: (() => PageContent) | undefined;
  /** As JSON. */
  readonly data: () => unknown;
}

/** An answer that is a file, for all clients. */
export interface FileResult {
  readonly contentType: string;
  readonly body: Uint8Array;
  /** Further headers, in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** @throws Refusal */
export type PageHandler = (request: PageRequest) => Promise<PageResult | FileResult>;
