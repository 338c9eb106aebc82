/** Error codes of the distribution specification ("Error Codes") and the one that registries share for bad `n`. */
export type RefusalCode =
  | "BLOB_UNKNOWN"
  | "BLOB_UPLOAD_INVALID"
  | "BLOB_UPLOAD_UNKNOWN"
  | "DENIED"
  | "DIGEST_INVALID"
  | "MANIFEST_BLOB_UNKNOWN"
  | "MANIFEST_INVALID"
  | "MANIFEST_UNKNOWN"
  | "NAME_INVALID"
  | "NAME_UNKNOWN"
  | "PAGINATION_NUMBER_INVALID"
  | "SIZE_INVALID"
  | "TOOMANYREQUESTS"
  | "UNAUTHORIZED"
  | "UNKNOWN"
  | "UNSUPPORTED";

export interface RefusalDetails {
  readonly headers?: Readonly<Record<string, string>>;
  /** Machine-readable part of the error body, for example the digests that are missing. */
  readonly detail?: unknown;
}

/** A request that is answered with a 4xx or 5xx status and the specification's error body. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: RefusalCode;
  readonly headers: Readonly<Record<string, string>>;
  readonly detail: unknown;

  constructor(status: number, code: RefusalCode, message: string, { headers = {}, detail }: RefusalDetails = {}) {
    super(message);
    this.name = "Refusal";
    this.status = status;
    this.code = code;
    this.headers = headers;
    this.detail = detail;
  }
}
