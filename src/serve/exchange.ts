import type { IncomingMessage } from "node:http";
import type { RegistryFolder } from "./folder/registry-folder.ts";
import type { UploadTable } from "./uploads/upload-table.ts";

/** A request, and what its handler needs. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly query: URLSearchParams;
  readonly store: RegistryFolder;
  readonly uploads: UploadTable;
}
