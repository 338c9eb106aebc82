/**
 * Each command of imgpack as a function.
 *
 * @module imgpack
 */
export type {
  ComparedBundles,
  ComparedBytes,
  ComparedImage,
  DigestInBase,
  ImageState,
} from "./bundle/base/compare-bundles.ts";
export type { ListedReference, ListedReferences, ReferenceClass, RefusedText } from "./bundle/list/listed-reference.ts";
export type { LockedKind } from "./bundle/lock/lock.ts";
export type { Need, NeededBlob } from "./bundle/need/need.ts";
export type { BlobSum } from "./bundle/shards/plan-shards.ts";
export type { ShardSummary } from "./bundle/shards/shard-summary.ts";
export type { ByteRange } from "./content/contracts.ts";
export type { BlobLabel, OnProgress, ProgressEvent, ProgressStep } from "./content/progress.ts";
export {
  ArchiveError,
  AuthError,
  BadReferenceError,
  EngineError,
  type ErrorCode,
  type ErrorDetails,
  ImgpackError,
  IntegrityError,
  InternalError,
  NetworkError,
  NotFoundError,
  type NotFoundErrorDetails,
  PartialError,
  type PartialErrorDetails,
  RegistryError,
  type RegistryErrorDetails,
  StorageError,
  UsageError,
} from "./errors.ts";
export type { Descriptor } from "./oci/descriptor.ts";
export type { Digest } from "./oci/digest.ts";
export type { HistoryEntry, RuntimeConfig } from "./oci/image-config.ts";
export type { EngineKind } from "./oci/names/engine-name.ts";
export type { TargetLayout } from "./oci/names/image-mapping.ts";
export type { Platform } from "./oci/platform.ts";
export type { ReferrersLookup } from "./oci/referrers/referrers-lookup.ts";
export type { ServerTls } from "./serve/access/certificate.ts";
export type { FoundDamage } from "./serve/content/served-registry.ts";
export { formatTransferReport, type TransferReportForm } from "./serve/page/report/format-report.ts";
export type {
  LeftOut,
  TransferBase,
  TransferBytes,
  TransferCounts,
  TransferFile,
  TransferImage,
  TransferPlatform,
  TransferReferrers,
  TransferReport,
  TransferSignature,
  TransferVolumes,
} from "./serve/page/report/transfer-report.ts";
export type { ServeEvent } from "./serve/serve-event.ts";
export type { ServeOptions } from "./serve/serve-options.ts";
export { type RunningRegistry, serveRegistry as serve } from "./serve/server.ts";
export type { ArchiveListing, ImageRow } from "./verbs/archive-listing.ts";
export {
  type ComparedSource,
  type CompareOptions,
  type Comparison,
  compareWithBase,
} from "./verbs/base/compare-with-base.ts";
export { collectGarbage, type GarbageOptions, type GarbageResult } from "./verbs/collect-garbage.ts";
export { type ConvertOptions, type ConvertResult, convert } from "./verbs/convert/convert.ts";
export { copy, copyTo } from "./verbs/copy/copy.ts";
export type { CopiedImage, CopyOptions, CopyResult, CopyToOptions } from "./verbs/copy/copy-options.ts";
export { type DeleteOptions, type Deletion, deleteImage } from "./verbs/delete.ts";
export {
  type ArchiveDialect,
  type DiagnosedImage,
  type Diagnosis,
  type DoctorOptions,
  doctor,
  type LoaderVerdict,
  type Producer,
  type RepairedArchive,
} from "./verbs/doctor/doctor.ts";
export type { LoadedEngine } from "./verbs/engines/engine-output.ts";
export type { ToolFile } from "./verbs/files/tool-files.ts";
export {
  type ImportedImage,
  type ImportOptions,
  type ImportResult,
  importImage,
  type Owner,
} from "./verbs/import/import-image.ts";
export type { ManifestFormat } from "./verbs/import/import-target.ts";
export {
  type InspectArchiveOptions,
  type InspectedDelta,
  type InspectedNeed,
  type InspectedVolumes,
  type Inspection,
  type InspectOptions,
  inspect,
  inspectArchive,
  inspectImage,
  type ListArchiveOptions,
  listArchive,
} from "./verbs/inspect.ts";
export { type ListReferencesOptions, listReferences } from "./verbs/lock/list-references.ts";
export { type LockOptions, type LockResult, lock } from "./verbs/lock/lock.ts";
export type { LockedImageSize, MediaCount } from "./verbs/lock/lock-sizes.ts";
export { type LoginOptions, type LoginResult, login } from "./verbs/login.ts";
export { type LogoutOptions, type LogoutResult, logout } from "./verbs/logout.ts";
export { type MirrorsResult, mirrors, type UnmirroredRepository } from "./verbs/mirrors/mirrors.ts";
export type { MirrorRuntime, MirrorsOptions, MirrorTls } from "./verbs/mirrors/mirrors-options.ts";
export type { MirrorFile } from "./verbs/mirrors/write-files.ts";
export type { Compression, Foreign, Layers, Loader, Sparse, ToolTarget } from "./verbs/options/choices.ts";
export type {
  ClientCertificate,
  RegistryAuth,
  RegistryOptions,
  RegistryRetry,
  RegistryTls,
} from "./verbs/options/registry-options.ts";
export type { SigningKeyOptions } from "./verbs/options/sign-options.ts";
export type { ArchiveFormat, ArchiveOutput } from "./verbs/output/open-output.ts";
export type { PulledShard, VolumeOptions, WrittenVolume } from "./verbs/output/volume-options.ts";
export type { NeedInput } from "./verbs/patch/read-need.ts";
export { pull } from "./verbs/pull.ts";
export type { AssumedByDelta, PulledPatch, PullOptions, PullResult } from "./verbs/pull-options.ts";
export { type PushedImage, type PushOptions, type PushResult, push, type UsedEngine } from "./verbs/push/push.ts";
export { type BlobOptions, type BlobResult, blob } from "./verbs/query/blob.ts";
export { type CatalogOptions, type CatalogResult, catalog } from "./verbs/query/catalog.ts";
export { type ConfigOptions, type ConfigResult, config } from "./verbs/query/config.ts";
export { type DigestOptions, type DigestResult, digest } from "./verbs/query/digest.ts";
export { exists } from "./verbs/query/exists.ts";
export { type LatestBy, type LatestOptions, type LatestResult, latest } from "./verbs/query/latest.ts";
export {
  type ManifestOptions,
  type ManifestResult,
  manifest,
  type RawManifestResult,
  rawManifest,
} from "./verbs/query/manifest.ts";
export { type MatchedImages, matchImages } from "./verbs/query/match-images.ts";
export {
  type MissingImage,
  type MissingImages,
  type MissingImagesOptions,
  missingImages,
} from "./verbs/query/missing-images.ts";
export { type FeatureSupport, type PingResult, ping } from "./verbs/query/ping.ts";
export { type ReferrersOptions, type ReferrersResult, referrers } from "./verbs/query/referrers.ts";
export { type SortOrder, type TagsOptions, type TagsResult, tags } from "./verbs/query/tags.ts";
export type { DatedTag } from "./verbs/query/tags-created.ts";
export type { CheckedSignatures, RefusedSignature } from "./verbs/referrers/check-signatures.ts";
export type { ReferrersSummary } from "./verbs/referrers/referrers-summary.ts";
export type { RequiredReferrer } from "./verbs/referrers/require-referrers.ts";
export { type TransferReportOptions, transferReport } from "./verbs/reporting/transfer-report.ts";
export type { LockInput } from "./verbs/requested/read-lock.ts";
export type { RequestedImage } from "./verbs/requested/requested-image.ts";
export type { BlobCounts } from "./verbs/shared/blob-counts.ts";
export type {
  InspectedImage,
  InspectedLayer,
  InspectedPlatform,
  InspectedV1Layer,
} from "./verbs/shared/describe-images.ts";
export type { DescribedLayer, DescribedPlatform } from "./verbs/shared/described-platform.ts";
export type { RemoteOptions } from "./verbs/shared/remote-image.ts";
export type { WrittenImage } from "./verbs/shared/write-images.ts";
export type { BundleSignature } from "./verbs/signed/bundle-signature.ts";
export { type TagResult, tag } from "./verbs/tag.ts";
export type { ReportedFailure, ReportedImage, RescueReport } from "./verbs/v1/report/rescue-report.ts";
export {
  type ArchiveFault,
  type DamagedRange,
  type MissingVolumes,
  type VerifiedShard,
  type VerifyOptions,
  type VerifyResult,
  verify,
} from "./verbs/verify.ts";
