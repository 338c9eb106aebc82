import { redact } from "./util/redact.ts";

/** Stable name of a class of errors. An aborted call has none: it rejects with `signal.reason`. */
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
  | "ERR_ENGINE"
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

/** What an error has in addition to its message. */
export interface ErrorDetails {
  /** One full sentence: what to do next. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  /** Default false. */
  readonly transient?: boolean;
}

/**
 * Base class of all errors that the functions throw. `message` says what cannot be done, what was found and what was
 * expected. Neither `message` nor `hint` contains secrets.
 */
export abstract class ImgpackError extends Error {
  /** That of the class, also where the code is minified. */
  abstract override name: string;
  abstract readonly code: ErrorCode;
  /** For command lines: the exit code of the process. */
  abstract readonly exitCode: number;
  /** One full sentence: what to do next. */
  readonly hint: string | undefined;
  /** True if the same call may succeed later. It has been retried already. */
  readonly transient: boolean;
  /** Which end of a copy failed. */
  origin?: "source" | "target";

  constructor(message: string, { hint, cause, transient = false }: ErrorDetails = {}) {
    super(redact(message), cause === undefined ? undefined : { cause });
    this.hint = hint === undefined ? undefined : redact(hint);
    this.transient = transient;
  }
}

/** A bug of imgpack itself. */
export class InternalError extends ImgpackError {
  name: string = "InternalError";
  readonly code = "ERR_INTERNAL";
  readonly exitCode: number = EXIT_CODES.internal;
}

/** An argument or option that cannot be used, or options that contradict each other. */
export class UsageError extends ImgpackError {
  name: string = "UsageError";
  readonly code = "ERR_USAGE";
  readonly exitCode: number = EXIT_CODES.usage;
}

/** A text that is not an image reference (OCI distribution specification, "Pull"). */
export class BadReferenceError extends ImgpackError {
  name: string = "BadReferenceError";
  readonly code = "ERR_REFERENCE";
  readonly exitCode: number = EXIT_CODES.usage;
}

/** An archive that cannot be understood, that contradicts itself, or that lacks something. */
export class ArchiveError extends ImgpackError {
  name: string = "ArchiveError";
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

/** The registry refuses the credentials, or the lack of them. */
export class AuthError extends ImgpackError {
  name: string = "AuthError";
  readonly code = "ERR_AUTH";
  readonly exitCode: number = EXIT_CODES.auth;
}

/** What a `NotFoundError` has in addition to its message. */
export interface NotFoundErrorDetails extends ErrorDetails {
  readonly need?: string | undefined;
}

/** An image, tag, blob or repository that the registry or the archive does not have. */
export class NotFoundError extends ImgpackError {
  name: string = "NotFoundError";
  readonly code = "ERR_NOT_FOUND";
  readonly exitCode: number = EXIT_CODES.notFound;
  /** Text of a need list, if bytes are missing that `pull` can fetch elsewhere by it. */
  readonly need: string | undefined;

  constructor(message: string, details: NotFoundErrorDetails = {}) {
    super(message, details);
    this.need = details.need;
  }
}

/** Bytes that do not match their digest or size. */
export class IntegrityError extends ImgpackError {
  name: string = "IntegrityError";
  readonly code = "ERR_INTEGRITY";
  readonly exitCode: number = EXIT_CODES.integrity;
}

/** No answer: name, connection, TLS or proxy. */
export class NetworkError extends ImgpackError {
  name: string = "NetworkError";
  readonly code = "ERR_NETWORK";
  readonly exitCode: number = EXIT_CODES.network;
}

/** What a `RegistryError` has in addition to its message. */
export interface RegistryErrorDetails extends ErrorDetails {
  /** HTTP status of the response. */
  readonly status: number;
  /** Error codes in the JSON body of the response (distribution specification, "Error Codes"). */
  readonly codes?: readonly string[];
}

/** The registry answers with an error status, or with an answer that is not valid. */
export class RegistryError extends ImgpackError {
  name: string = "RegistryError";
  readonly code = "ERR_REGISTRY";
  readonly exitCode: number = EXIT_CODES.registry;
  /** HTTP status of the answer. */
  readonly status: number;
  /** Error codes of the answer's JSON body (distribution specification, "Error Codes"); foreign text. */
  readonly codes: readonly string[];

  constructor(message: string, details: RegistryErrorDetails) {
    super(message, details);
    this.status = details.status;
    this.codes = details.codes ?? [];
  }
}

/** Docker, podman or containerd on this machine refuses what it is asked for, or fails at it. */
export class EngineError extends ImgpackError {
  name: string = "EngineError";
  readonly code = "ERR_ENGINE";
  readonly exitCode: number = EXIT_CODES.registry;
}

/** A local file that cannot be read or written: missing, no permission, no space. */
export class StorageError extends ImgpackError {
  name: string = "StorageError";
  readonly code = "ERR_STORAGE";
  readonly exitCode: number = EXIT_CODES.storage;
}

/** What a `PartialError` has in addition to its message. */
export interface PartialErrorDetails<Result> extends ErrorDetails {
  readonly failed?: readonly string[];
  readonly result?: Result | undefined;
  /** True if there is no input that did not fail. Default false. */
  readonly nothingDone?: boolean;
}

/**
 * Several inputs, of which some failed, or all; the others are done. `Result` is what the function returns when none fails.
 * When nothing is done and all failures have one exit code, that is the exit code: to a script, a wrong password is the same
 * for one image and for many.
 */
export class PartialError<Result = unknown> extends ImgpackError {
  name: string = "PartialError";
  readonly code = "ERR_PARTIAL";
  readonly exitCode: number;
  /** What went wrong, one error per failure. */
  readonly failures: readonly ImgpackError[];
  /** The inputs that failed, as they were given, so that another call can take them. */
  readonly failed: readonly string[];
  /** What was done: the result of the function, for the inputs that did not fail. */
  readonly result: Result | undefined;

  constructor(message: string, failures: readonly ImgpackError[], details: PartialErrorDetails<Result> = {}) {
    super(message, details);
    const [common, ...others] = new Set(failures.map(({ exitCode }) => exitCode));
    const isOne = details.nothingDone === true && common !== undefined && others.length === 0;
    this.exitCode = isOne ? common : EXIT_CODES.partial;
    this.failures = failures;
    this.failed = details.failed ?? [];
    this.result = details.result;
  }
}
