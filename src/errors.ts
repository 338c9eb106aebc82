import { redact } from "./util/redact.ts";

export type ErrorCode =
  | "ERR_INTERNAL"
  | "ERR_USAGE"
  | "ERR_REFERENCE"
  | "ERR_ARCHIVE"
  | "ERR_AUTH"
  | "ERR_NOT_FOUND"
  | "ERR_INTEGRITY"
  | "ERR_NETWORK"
  | "ERR_REGISTRY"
  | "ERR_STORAGE"
  | "ERR_PARTIAL";

/** Exit codes of the command: README, "Exit codes". A signal's is 128 and its number, as shells count. */
export const EXIT_CODES = {
  internal: 1,
  usage: 2,
  archive: 3,
  auth: 4,
  notFound: 5,
  integrity: 6,
  network: 7,
  registry: 8,
  storage: 9,
  partial: 10,
  SIGHUP: 129,
  SIGINT: 130,
  SIGTERM: 143,
} as const;

export interface ErrorDetails {
  /** One full sentence: what to do next. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  readonly transient?: boolean;
}

/** Every fault that a caller can act on. `message` and `hint` are redacted on construction. */
export abstract class ImgpackError extends Error {
  abstract readonly code: ErrorCode;
  /** Process exit code of the CLI for this fault. */
  abstract readonly exitCode: number;
  readonly hint: string | undefined;
  /** The only question that retry asks. */
  readonly transient: boolean;
  /** Which end failed; set once, by the copy engine, which alone knows. */
  origin?: "source" | "target";

  constructor(message: string, { hint, cause, transient = false }: ErrorDetails = {}) {
    super(redact(message), cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.hint = hint === undefined ? undefined : redact(hint);
    this.transient = transient;
  }
}

/** A bug of imgpack itself. */
export class InternalError extends ImgpackError {
  readonly code = "ERR_INTERNAL";
  readonly exitCode: number = EXIT_CODES.internal;
}

export class UsageError extends ImgpackError {
  readonly code = "ERR_USAGE";
  readonly exitCode: number = EXIT_CODES.usage;
}

/** A name that is not an image reference (OCI distribution specification, "Pull"). */
export class BadReferenceError extends ImgpackError {
  readonly code = "ERR_REFERENCE";
  readonly exitCode: number = EXIT_CODES.usage;
}

export class ArchiveError extends ImgpackError {
  readonly code = "ERR_ARCHIVE";
  readonly exitCode: number = EXIT_CODES.archive;
  /** Stable name of the rule that refused the archive, for example "duplicate-name". */
  readonly reason: string;

  constructor(reason: string, message: string, details: ErrorDetails = {}) {
    super(message, details);
    this.reason = reason;
  }
}

/** A source does not hold a blob that something in it names; for a sparse index that is normal. */
export function isMissingBlob(error: unknown): boolean {
  return error instanceof ArchiveError && error.reason === "missing-blob";
}

export class AuthError extends ImgpackError {
  readonly code = "ERR_AUTH";
  readonly exitCode: number = EXIT_CODES.auth;
}

export class NotFoundError extends ImgpackError {
  readonly code = "ERR_NOT_FOUND";
  readonly exitCode: number = EXIT_CODES.notFound;
}

/** Bytes that are not what their digest or size says. */
export class IntegrityError extends ImgpackError {
  readonly code = "ERR_INTEGRITY";
  readonly exitCode: number = EXIT_CODES.integrity;
}

export class NetworkError extends ImgpackError {
  readonly code = "ERR_NETWORK";
  readonly exitCode: number = EXIT_CODES.network;
}

export interface RegistryErrorDetails extends ErrorDetails {
  /** HTTP status of the answer. */
  readonly status: number;
  /** Error codes of the answer's JSON body (distribution specification, "Error Codes"). */
  readonly codes?: readonly string[];
}

/** The registry answered, and refused. */
export class RegistryError extends ImgpackError {
  readonly code = "ERR_REGISTRY";
  readonly exitCode: number = EXIT_CODES.registry;
  readonly status: number;
  readonly codes: readonly string[];

  constructor(message: string, details: RegistryErrorDetails) {
    super(message, details);
    this.status = details.status;
    this.codes = details.codes ?? [];
  }
}

/** Local files: space, permission, a missing input. */
export class StorageError extends ImgpackError {
  readonly code = "ERR_STORAGE";
  readonly exitCode: number = EXIT_CODES.storage;
}

/** Some of several images failed; `failures` says which. */
export class PartialError extends ImgpackError {
  readonly code = "ERR_PARTIAL";
  readonly exitCode: number = EXIT_CODES.partial;
  readonly failures: readonly ImgpackError[];
  /** What was asked for and is not done, as it was named: to be asked for again. */
  readonly failed: readonly string[];

  constructor(
    message: string,
    failures: readonly ImgpackError[],
    details: ErrorDetails & { readonly failed?: readonly string[] } = {},
  ) {
    super(message, details);
    this.failures = failures;
    this.failed = details.failed ?? [];
  }
}
