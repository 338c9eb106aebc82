import type { IncomingMessage } from "node:http";
import type { RegistryFolder } from "./folder/registry-folder.ts";
import type { UploadTable } from "./uploads/upload-table.ts";

/** What every route's handler works with. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly query: URLSearchParams;
  readonly store: RegistryFolder;
  readonly uploads: UploadTable;
}
