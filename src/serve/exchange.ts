import type { IncomingMessage } from "node:http";
import type { Answer } from "./answer.ts";
import type { ServedRegistry } from "./content/served-registry.ts";
import type { RegistryFolder } from "./folder/registry-folder.ts";
import type { UploadTable } from "./uploads/upload-table.ts";

/** A request, and what its handler needs. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly query: URLSearchParams;
  readonly registry: ServedRegistry;
  readonly watch: Watch;
}

/** What is asked about the server itself. */
export interface Watch {
  /** 200 while it serves, 503 otherwise. */
  health(): Promise<Answer>;
  /** Text for Prometheus. */
  metrics(): Answer;
}

/** A request to a store, which can be written to. */
export interface StoreExchange extends Exchange {
  readonly registry: RegistryFolder;
  readonly uploads: UploadTable;
}

/** The registry that a client of a mirror means; containerd says it. */
export function namespaceOf(query: URLSearchParams): string | undefined {
  return query.get("ns") ?? undefined;
}
