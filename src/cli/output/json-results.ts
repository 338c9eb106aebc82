import type {
  BlobResult,
  CatalogResult,
  Comparison,
  ConfigResult,
  ConvertResult,
  CopyResult,
  Deletion,
  Diagnosis,
  DigestResult,
  ErrorCode,
  GarbageResult,
  ImportResult,
  Inspection,
  LatestResult,
  ListedReferences,
  LockResult,
  LoginResult,
  LogoutResult,
  ManifestResult,
  MirrorsResult,
  MissingImages,
  PingResult,
  ProgressEvent,
  PullResult,
  PushResult,
  ReferrersResult,
  TagResult,
  TagsResult,
  TransferReport,
  VerifyResult,
} from "../../index.ts";

/** What `--json` prints of a command when it succeeds. The files in schemas/ are made from this: `npm run schemas`. */
export interface JsonResults {
  push: PrintedPush;
  pull: PullResult;
  copy: PrintedCopy;
  convert: ConvertResult;
  import: ImportResult;
  inspect: Inspection | Comparison | TransferReport;
  verify: VerifyResult;
  doctor: Diagnosis | DiagnosedArchives;
  serve: GarbageResult;
  login: LoginResult;
  logout: LogoutResult;
  tags: TagsResult | MatchedReferences;
  latest: LatestResult;
  catalog: CatalogResult;
  exists: Existence | MissingImages;
  digest: DigestResult;
  manifest: ManifestResult;
  config: PrintedConfig;
  blob: BlobResult;
  ping: PingResult;
  tag: TagResult;
  lock: PrintedLock | PrintedReferences;
  mirrors: MirrorsResult;
  delete: Deletion;
  referrers: ReferrersResult;
  "hub login": LoginResult;
  "hub user": import("../../verbs/v1/hub/hub-users.ts").HubUserResult;
  "hub repo": import("../../verbs/v1/hub/hub-repositories.ts").HubRepositoryResult;
  "hub images": import("../../verbs/v1/hub/hub-images.ts").HubImagesResult;
  "hub token": PrintedToken;
  "hub auth": import("../../verbs/v1/hub/hub-tokens.ts").TokenFacts;
  "hub search": import("../../verbs/v1/hub/hub-search.ts").HubSearchResult;
}

/** `push` */
export interface PrintedPush extends PushResult {
  /** Only with `--dry-run`. */
  readonly planned?: PlannedSend;
}

/** `copy` */
export interface PrintedCopy extends CopyResult {
  /** Only with `--dry-run`. */
  readonly planned?: PlannedSend;
}

/** What a run sends at most: blobs that the registry has are not sent again. */
export interface PlannedSend {
  readonly blobs: number;
  /** Of the blobs, with the sizes that they have now. */
  readonly bytes: number;
  readonly tags: number;
}

/** `tags` of a reference with wildcards. */
export interface MatchedReferences {
  /** Full names. */
  readonly references: readonly string[];
}

/** `doctor` of several archives. */
export interface DiagnosedArchives {
  /** In the order of the command line; without those that cannot be read. */
  readonly archives: readonly Diagnosis[];
}

/** `exists` of one image. */
export interface Existence {
  /** As it was given. */
  readonly reference: string;
  readonly exists: boolean;
}

/** `config`: the config as JSON. */
export interface PrintedConfig extends Omit<ConfigResult, "bytes"> {
  /** Bytes of the config. */
  readonly size: number;
  /** As the registry has it. */
  readonly config: JsonDocument;
}

/** A document of someone else, with any fields. */
export interface JsonDocument {
  readonly [field: string]: unknown;
}

/** `lock`: sizes, and the lock itself or the file that it was written to. */
export interface PrintedLock extends Omit<LockResult, "text"> {
  /** The lock, unless `--output` is given (docs/FORMATS.md). */
  readonly lock?: JsonDocument;
  /** The file that the lock was written to. */
  readonly output?: string;
}

/** `lock --list` */
export interface PrintedReferences {
  readonly references: readonly PrintedReference[];
  readonly refused: ListedReferences["refused"];
}

/** A reference that a file names. */
export interface PrintedReference {
  /** As the file has it. */
  readonly name: string;
  readonly class: ListedReferences["references"][number]["class"];
  readonly file: string;
  /** From 1; absent for a file whose lines say nothing. */
  readonly line?: number | undefined;
  readonly platforms?: readonly string[] | undefined;
  /** The full name that it means. */
  readonly as?: string | undefined;
}

/** `hub token`: without the token, unless `--show` is given. */
export interface PrintedToken extends Omit<import("../../verbs/v1/hub/hub-tokens.ts").HubTokenResult, "token"> {
  readonly token?: string;
}

/** What `--json` prints of an error, on its own or next to a result. */
export interface JsonError {
  readonly error: {
    /** Stable name of the class of the error; `ERR_INTERRUPTED` after a signal. */
    readonly code: ErrorCode | "ERR_INTERRUPTED";
    /** What cannot be done, what was found, and what was expected. May have text of a registry or an archive. */
    readonly message: string;
    /** What to do next. */
    readonly hint?: string | undefined;
    /** Which end of a copy failed. */
    readonly origin?: "source" | "target" | undefined;
  };
}

/** What is added to the result when some of several inputs failed. */
export interface JsonPartial extends JsonError {
  /** The inputs that failed, as they were given. */
  readonly failed: readonly string[];
}

/** A line of `--progress json` on stderr. */
export type JsonProgressLine = ProgressEvent | JsonErrorLine;

/** The last line of `--progress json` when the run fails. */
export interface JsonErrorLine {
  readonly kind: "error";
  readonly message: string;
  readonly code: ErrorCode | "ERR_INTERRUPTED";
  readonly exitCode: number;
  readonly hint?: string | undefined;
  readonly origin?: "source" | "target" | undefined;
  /** With `--verbose`, and for bugs: the chain of causes. */
  readonly causes?: readonly string[];
}

/** What each line of `--log` has. */
export interface LogLine {
  /** UTC, as in RFC 3339. */
  readonly time: string;
  /** The same in all lines of a run. */
  readonly run: string;
}

/** The first line of a run in a log. */
export interface LogStart extends LogLine {
  readonly kind: "start";
  /** Of imgpack. */
  readonly version: string;
  /** The words of the command line, without secrets. */
  readonly command: readonly string[];
  readonly shard?: string;
  /** Of the process. */
  readonly pid: number;
  readonly host: string;
}

/** The last line of a run in a log. */
export interface LogEnd extends LogLine {
  readonly kind: "end";
  readonly exitCode: number;
  readonly seconds: number;
  /** Numbers and texts of the result, and the lengths of its lists. */
  readonly result?: JsonDocument;
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string | undefined };
}

export type JsonLogLine = (LogLine & ProgressEvent) | LogStart | LogEnd;
