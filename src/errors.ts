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

/** Exit codes of the command: README, "Exit codes". For a signal, 128 plus its number, as in shells. */
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

/** Base class of all errors that a caller can act on. `message` and `hint` contain no credentials: they are redacted. */
export abstract class ImgpackError extends Error {
  abstract readonly code: ErrorCode;
  /** Exit code of the command for this error. */
  abstract readonly exitCode: number;
  readonly hint: string | undefined;
  /** Whether a retry can succeed. */
  readonly transient: boolean;
  /** Which end of a copy failed; set by the copy engine. */
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

/** A text that is not an image reference (OCI distribution specification, "Pull"). */
export class BadReferenceError extends ImgpackError {
  readonly code = "ERR_REFERENCE";
  readonly exitCode: number = EXIT_CODES.usage;
}

export class ArchiveError extends ImgpackError {
  readonly code = "ERR_ARCHIVE";
  readonly exitCode: number = EXIT_CODES.archive;
  /** Stable name of the violated rule, such as "duplicate-name". */
  readonly reason: string;

  constructor(reason: string, message: string, details: ErrorDetails = {}) {
    super(message, details);
    this.reason = reason;
  }
}

/** Whether a source lacks a blob that it refers to; for a sparse index that is normal. */
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

/** Bytes that do not match their digest or size. */
export class IntegrityError extends ImgpackError {
  readonly code = "ERR_INTEGRITY";
  readonly exitCode: number = EXIT_CODES.integrity;
}

export class NetworkError extends ImgpackError {
  readonly code = "ERR_NETWORK";
  readonly exitCode: number = EXIT_CODES.network;
}

export interface RegistryErrorDetails extends ErrorDetails {
  /** HTTP status of the response. */
  readonly status: number;
  /** Error codes in the JSON body of the response (distribution specification, "Error Codes"). */
  readonly codes?: readonly string[];
}

/** The registry refused a request. */
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

/** A problem with local files: no space, no permission, a missing input. */
export class StorageError extends ImgpackError {
  readonly code = "ERR_STORAGE";
  readonly exitCode: number = EXIT_CODES.storage;
}

/** Some of several images failed. */
export class PartialError extends ImgpackError {
  readonly code = "ERR_PARTIAL";
  readonly exitCode: number = EXIT_CODES.partial;
  readonly failures: readonly ImgpackError[];
  /** The inputs that failed, as they were given, to be given again. */
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
