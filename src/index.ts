export type { ProgressEvent } from "./content/progress.ts";
export {
  ArchiveError,
  AuthError,
  BadReferenceError,
  type ErrorCode,
  ImgpackError,
  IntegrityError,
  InternalError,
  NetworkError,
  NotFoundError,
  PartialError,
  RegistryError,
  StorageError,
  UsageError,
} from "./errors.ts";
export type { Descriptor } from "./oci/descriptor.ts";
export type { Digest } from "./oci/digest.ts";
export type { Platform } from "./oci/platform.ts";
export {
  type RegistryEvent,
  type RunningRegistry,
  type ServeRegistryOptions,
  serveRegistry as serve,
} from "./serve/server.ts";
export { type ConvertOptions, type ConvertResult, convert } from "./verbs/convert.ts";
export { type Diagnosis, type DoctorOptions, doctor } from "./verbs/doctor.ts";
export { type ImportedImage, type ImportOptions, type ImportResult, importImage } from "./verbs/import-image.ts";
export { type Inspection, type InspectOptions, inspect } from "./verbs/inspect.ts";
export { type PulledImage, type PullOptions, type PullResult, pull } from "./verbs/pull.ts";
export { type PushedImage, type PushOptions, type PushResult, push } from "./verbs/push.ts";
export type { RegistryOptions } from "./verbs/registries.ts";
export { type Fault, type VerifyOptions, type VerifyResult, verify } from "./verbs/verify.ts";
