// A project that names every type of the package. `same` compiles only for equal types.
import type {
  ArchiveDialect,
  ArchiveFault,
  ArchiveFormat,
  ArchiveListing,
  ArchiveOutput,
  AssumedByDelta,
  BlobCounts,
  BlobLabel,
  BlobOptions,
  BlobResult,
  BlobSum,
  BundleSignature,
  ByteRange,
  CatalogOptions,
  CatalogResult,
  CheckedSignatures,
  ClientCertificate,
  ComparedBundles,
  ComparedBytes,
  ComparedImage,
  ComparedSource,
  CompareOptions,
  Comparison,
  Compression,
  ConfigOptions,
  ConfigResult,
  ConvertOptions,
  ConvertResult,
  CopiedImage,
  CopyOptions,
  CopyResult,
  CopyToOptions,
  DamagedRange,
  DatedTag,
  DeleteOptions,
  Deletion,
  DescribedLayer,
  DescribedPlatform,
  Descriptor,
  DiagnosedImage,
  Diagnosis,
  Digest,
  DigestInBase,
  DigestOptions,
  DigestResult,
  DoctorOptions,
  EngineKind,
  ErrorCode,
  ErrorDetails,
  FeatureSupport,
  Foreign,
  FoundDamage,
  GarbageOptions,
  GarbageResult,
  HistoryEntry,
  ImageRow,
  ImageState,
  ImportedImage,
  ImportOptions,
  ImportResult,
  InspectArchiveOptions,
  InspectedDelta,
  InspectedImage,
  InspectedLayer,
  InspectedNeed,
  InspectedPlatform,
  InspectedV1Layer,
  InspectedVolumes,
  Inspection,
  InspectOptions,
  LatestBy,
  LatestOptions,
  LatestResult,
  Layers,
  LeftOut,
  ListArchiveOptions,
  ListedReference,
  ListedReferences,
  ListReferencesOptions,
  LoadedEngine,
  Loader,
  LoaderVerdict,
  LockedImageSize,
  LockedKind,
  LockInput,
  LockOptions,
  LockResult,
  LoginOptions,
  LoginResult,
  LogoutOptions,
  LogoutResult,
  ManifestFormat,
  ManifestOptions,
  ManifestResult,
  MatchedImages,
  MediaCount,
  MirrorFile,
  MirrorRuntime,
  MirrorsOptions,
  MirrorsResult,
  MirrorTls,
  MissingImage,
  MissingImages,
  MissingImagesOptions,
  MissingVolumes,
  Need,
  NeededBlob,
  NeedInput,
  NotFoundErrorDetails,
  OnProgress,
  Owner,
  PartialErrorDetails,
  PingResult,
  Platform,
  Producer,
  ProgressEvent,
  ProgressStep,
  PulledPatch,
  PulledShard,
  PullOptions,
  PullResult,
  PushedImage,
  PushOptions,
  PushResult,
  RawManifestResult,
  ReferenceClass,
  ReferrersLookup,
  ReferrersOptions,
  ReferrersResult,
  ReferrersSummary,
  RefusedSignature,
  RefusedText,
  RegistryAuth,
  RegistryErrorDetails,
  RegistryOptions,
  RegistryRetry,
  RegistryTls,
  RemoteOptions,
  RepairedArchive,
  ReportedFailure,
  ReportedImage,
  RequestedImage,
  RequiredReferrer,
  RescueReport,
  RunningRegistry,
  RuntimeConfig,
  ServeEvent,
  ServeOptions,
  ServerTls,
  ShardSummary,
  SigningKeyOptions,
  SortOrder,
  Sparse,
  TagResult,
  TagsOptions,
  TagsResult,
  TargetLayout,
  ToolFile,
  ToolTarget,
  TransferBase,
  TransferBytes,
  TransferCounts,
  TransferFile,
  TransferImage,
  TransferPlatform,
  TransferReferrers,
  TransferReport,
  TransferReportForm,
  TransferReportOptions,
  TransferSignature,
  TransferVolumes,
  UnmirroredRepository,
  UsedEngine,
  VerifiedShard,
  VerifyOptions,
  VerifyResult,
  VolumeOptions,
  WrittenImage,
  WrittenVolume,
} from "imgpack";
import * as imgpack from "imgpack";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? [] : [never];
type Item<List> = NonNullable<List> extends readonly (infer Element)[] ? Element : never;
type Result<F extends (...words: never[]) => unknown> = Awaited<ReturnType<F>>;
function same<A, B>(..._equal: Equal<A, B>): void {}

same<Result<typeof imgpack.push>, PushResult>();
same<Item<PushResult["images"]>, PushedImage>();
same<NeededBlob["kind"], LockedKind>();
same<Item<ArchiveListing["images"]>, ImageRow>();
same<NonNullable<CopyToOptions["lock"]>, LockInput>();
same<NonNullable<PullOptions["need"]>, NeedInput>();
same<NonNullable<ReferrersSummary["lookup"]>, ReferrersLookup>();
same<Extract<ProgressEvent, { kind: "step" }>["step"], ProgressStep>();
same<NonNullable<ConstructorParameters<typeof imgpack.NotFoundError>[1]>, NotFoundErrorDetails>();
same<PushResult["blobs"], BlobCounts>();
same<Item<NonNullable<PushResult["engines"]>>, UsedEngine>();
same<Result<typeof imgpack.pull>, PullResult>();
same<Item<PullResult["images"]>, WrittenImage>();
same<Result<typeof imgpack.copy> | Result<typeof imgpack.copyTo>, CopyResult>();
same<Item<CopyResult["images"]>, CopiedImage>();
same<NonNullable<CopyResult["shard"]>, ShardSummary>();
same<ShardSummary["twice"], BlobSum>();
same<NonNullable<PullResult["shard"]>, PulledShard>();
same<NonNullable<VerifyResult["shard"]>, VerifiedShard>();
same<NonNullable<CopyResult["rescue"]>, RescueReport>();
same<Item<RescueReport["images"]>, ReportedImage | ReportedFailure>();
same<Result<typeof imgpack.convert>, ConvertResult>();
same<ConvertResult["format"], ArchiveFormat>();
same<Item<PullResult["volumes"]>, WrittenVolume>();
same<NonNullable<PullResult["assumed"]>, AssumedByDelta>();
same<NonNullable<PullResult["engine"]>, LoadedEngine>();
same<NonNullable<PullResult["patch"]>, PulledPatch>();
same<Pick<PullOptions, "volumeSize" | "volume">, VolumeOptions>();
same<NonNullable<PullOptions["sign"]>, SigningKeyOptions>();
same<NonNullable<Inspection["volumes"]>, InspectedVolumes>();
same<NonNullable<Inspection["delta"]>, InspectedDelta>();
same<NonNullable<Inspection["need"]>, InspectedNeed>();
same<Result<typeof imgpack.importImage>, ImportResult>();
same<Item<ImportResult["images"]>, ImportedImage>();
same<NonNullable<ImportResult["layer"]>, Descriptor>();
same<
  Result<typeof imgpack.inspect> | Result<typeof imgpack.inspectArchive> | Result<typeof imgpack.inspectImage>,
  Inspection
>();
same<Item<Inspection["images"]>, InspectedImage>();
same<Item<InspectedImage["platforms"]>, InspectedPlatform>();
same<Item<InspectedPlatform["layers"]>, InspectedLayer>();
same<Item<InspectedPlatform["v1Layers"]>, InspectedV1Layer>();
same<Item<InspectedPlatform["history"]>, HistoryEntry>();
same<NonNullable<InspectedPlatform["runtime"]>, RuntimeConfig>();
same<Result<typeof imgpack.listArchive>, ArchiveListing | undefined>();
same<Result<typeof imgpack.compareWithBase>, Comparison>();
same<Pick<Comparison, "images" | "bytes">, ComparedBundles>();
same<Item<Comparison["base"]> | Comparison["bundle"], ComparedSource>();
same<Item<Comparison["images"]>, ComparedImage>();
same<Item<ComparedImage["was"]>, DigestInBase>();
same<ComparedImage["state"], ImageState>();
same<Comparison["bytes"], ComparedBytes>();
same<NonNullable<InspectedImage["referrers"]>, ReferrersSummary>();
same<Result<typeof imgpack.transferReport>, TransferReport>();
same<Parameters<typeof imgpack.transferReport>[1], TransferReportOptions | undefined>();
same<Parameters<typeof imgpack.formatTransferReport>[1], TransferReportForm>();
same<Item<TransferReport["images"]>, TransferImage>();
same<Item<TransferImage["platforms"]>, TransferPlatform>();
same<TransferImage["referrers"], TransferReferrers>();
same<Item<TransferReport["files"]>, TransferFile>();
same<Item<TransferReport["bases"]>, TransferBase>();
same<Item<TransferReport["left"]>, LeftOut>();
same<Pick<TransferReport, "counts" | "bytes">, { readonly counts: TransferCounts; readonly bytes: TransferBytes }>();
same<NonNullable<TransferReport["volumes"]>, TransferVolumes>();
same<NonNullable<TransferReport["signature"]>, TransferSignature>();
same<Result<typeof imgpack.lock>, LockResult>();
same<Item<LockResult["images"]>, LockedImageSize>();
same<Item<LockResult["media"]>, MediaCount>();
same<Result<typeof imgpack.listReferences>, ListedReferences>();
same<Item<ListedReferences["references"]>, ListedReference>();
same<Item<ListedReferences["refused"]>, RefusedText>();
same<ListedReference["class"], ReferenceClass>();
same<Item<Parameters<typeof imgpack.lock>[0]>, string | RequestedImage>();
same<Result<typeof imgpack.matchImages>, MatchedImages>();
same<Result<typeof imgpack.missingImages>, MissingImages>();
same<Result<typeof imgpack.mirrors>, MirrorsResult>();
same<Item<MirrorsResult["files"]>, MirrorFile>();
same<Item<MirrorsResult["notPossible"]>, UnmirroredRepository>();
same<MirrorFile["for"], MirrorRuntime>();
same<NonNullable<MirrorsOptions["tls"]>, MirrorTls>();
same<Item<MissingImages["missing"]>, MissingImage>();
same<Item<VerifyResult["signatures"]>, CheckedSignatures>();
same<Item<CheckedSignatures["refused"]>, RefusedSignature>();
same<Result<typeof imgpack.verify>, VerifyResult>();
same<Item<VerifyResult["faults"]>, ArchiveFault>();
same<Item<ArchiveFault["ranges"]>, DamagedRange>();
same<Item<VerifyResult["missing"]>, MissingVolumes>();
same<Item<VerifyResult["needs"]>, Need>();
same<Item<Need["blobs"]>, NeededBlob>();
same<NonNullable<VerifyResult["bundle"]>, BundleSignature>();
same<Result<typeof imgpack.doctor>, Diagnosis>();
same<Diagnosis["form"], ArchiveDialect>();
same<Diagnosis["producer"], Producer>();
same<Item<Diagnosis["images"]>, DiagnosedImage>();
same<Item<Diagnosis["loaders"]>, LoaderVerdict>();
same<NonNullable<Diagnosis["repaired"]>, RepairedArchive>();
same<Result<typeof imgpack.manifest>, ManifestResult>();
same<Item<ManifestResult["platforms"]>, DescribedPlatform>();
same<Item<DescribedPlatform["layers"]>, DescribedLayer>();
same<Result<typeof imgpack.rawManifest>, RawManifestResult>();
same<Result<typeof imgpack.config>, ConfigResult>();
same<Result<typeof imgpack.blob>, BlobResult>();
same<Result<typeof imgpack.digest>, DigestResult>();
same<DigestResult["digest"], Digest>();
same<Result<typeof imgpack.exists>, boolean>();
same<Result<typeof imgpack.latest>, LatestResult>();
same<Result<typeof imgpack.tags>, TagsResult>();
same<Item<TagsResult["tags"]>, DatedTag>();
same<Result<typeof imgpack.catalog>, CatalogResult>();
same<Result<typeof imgpack.referrers>, ReferrersResult>();
same<Item<ReferrersResult["referrers"]>, Descriptor>();
same<NonNullable<Descriptor["platform"]>, Platform>();
same<Result<typeof imgpack.ping>, PingResult>();
same<PingResult["head"], FeatureSupport>();
same<Result<typeof imgpack.tag>, TagResult>();
same<Result<typeof imgpack.deleteImage>, Deletion | undefined>();
same<Parameters<DeleteOptions["confirm"]>[0], Deletion>();
same<Result<typeof imgpack.login>, LoginResult>();
same<Result<typeof imgpack.logout>, LogoutResult>();
same<Result<typeof imgpack.serve>, RunningRegistry>();
same<Result<typeof imgpack.collectGarbage>, GarbageResult>();
same<NonNullable<Parameters<typeof imgpack.collectGarbage>[1]>, GarbageOptions>();
same<Parameters<NonNullable<ServeOptions["onEvent"]>>[0], ServeEvent>();
same<NonNullable<FoundDamage["range"]>, ByteRange>();
same<Omit<Extract<ServeEvent, { kind: "damage" }>, "kind">, Omit<FoundDamage, "kind">>();
same<UsedEngine["kind"], EngineKind>();
same<Parameters<OnProgress>[0], ProgressEvent>();
same<Extract<ProgressEvent, { kind: "done" }>["blob"], BlobLabel>();
same<imgpack.ImgpackError["code"], ErrorCode>();
same<NonNullable<ConstructorParameters<typeof imgpack.UsageError>[1]>, ErrorDetails>();
same<ConstructorParameters<typeof imgpack.RegistryError>[1], RegistryErrorDetails>();
same<NonNullable<ConstructorParameters<typeof imgpack.PartialError>[2]>, PartialErrorDetails<unknown>>();
same<Item<imgpack.PartialError["failures"]>, imgpack.ImgpackError>();

same<NonNullable<PushOptions["compression"]>, Compression>();
same<NonNullable<PullOptions["foreign"]>, Foreign>();
same<Extract<PullOptions["withTool"], string>, ToolTarget>();
same<PullResult["tools"][number], ToolFile>();
same<NonNullable<PushOptions["sparse"]>, Sparse>();
same<NonNullable<PushOptions["layout"]>, TargetLayout>();
same<Extract<PullOptions["requireReferrers"], string>, RequiredReferrer>();
same<NonNullable<PushOptions["registry"]>, string | RegistryOptions>();
same<NonNullable<RegistryOptions["auth"]>, RegistryAuth>();
same<NonNullable<RegistryOptions["tls"]>, RegistryTls>();
same<NonNullable<RegistryOptions["retry"]>, RegistryRetry>();
same<NonNullable<RegistryTls["clientCertificate"]>, ClientCertificate>();
same<NonNullable<ServeOptions["tls"]>, ServerTls>();
same<PullOptions["output"], ArchiveOutput>();
same<NonNullable<PullOptions["layers"]>, Layers>();
same<NonNullable<PullOptions["for"]>, Loader>();
same<NonNullable<ImportOptions["owner"]>, Owner>();
same<NonNullable<ImportOptions["format"]>, ManifestFormat>();
same<NonNullable<TagsOptions["sort"]>, SortOrder>();
same<NonNullable<LatestOptions["by"]>, LatestBy>();

// Options by the names of the flags; undefined is an option that is not given, under every compiler flag.
export const options: readonly [
  PushOptions,
  PullOptions,
  CopyOptions,
  CopyToOptions,
  LockOptions,
  MissingImagesOptions,
  MirrorsOptions,
  ListReferencesOptions,
  ConvertOptions,
  ImportOptions,
  InspectOptions,
  InspectArchiveOptions,
  ListArchiveOptions,
  CompareOptions,
  VerifyOptions,
  DoctorOptions,
  TagsOptions,
  LatestOptions,
  CatalogOptions,
  ManifestOptions,
  ConfigOptions,
  DigestOptions,
  BlobOptions,
  ReferrersOptions,
  RemoteOptions,
  LoginOptions,
  LogoutOptions,
  ServeOptions,
] = [
  { tag: ["r.lan/a:1"], image: "a:1", compression: "gzip:9", sparse: "fail", cacheDir: undefined, registry: "r.lan" },
  {
    output: "o",
    platform: "all",
    mirror: ["m.lan"],
    layers: "keep",
    for: "docker20",
    keepGoing: true,
    restart: false,
    withTool: "linux-x64",
  },
  { platform: ["linux/amd64"], registry: { host: "r.lan", retry: { count: 2, timeoutMs: 1000 }, limitRate: 1e6 } },
  { layout: "full", map: ["docker.io=hub"], requireReferrers: ["sig"], trustedReferences: ["r.lan/a"] },
  { platform: "linux/amd64", sparse: "prune", referrers: false, keepGoing: true, cacheDir: "c" },
  { to: "r.lan/mirror", layout: "flat" },
  { to: "r.lan/mirror", for: ["containerd", "k3s"], output: "o", tls: { plainHttp: true, caFile: undefined } },
  { references: ["r.lan/a:1"], env: { TAG: "1" } },
  { output: process.stdout, format: "docker", tag: undefined, image: undefined, sparse: "keep" },
  { tag: "r.lan/a:1", env: "A=1", expose: ["80"], label: "a=b", volume: "/v", owner: "keep", format: "oci" },
  { registry: { auth: { username: "u", password: "p" }, tls: { plainHttp: true, ca: undefined } } },
  { stdin: process.stdin, onProgress: undefined, signal: AbortSignal.timeout(1000) },
  { stdin: process.stdin },
  { base: ["site.lock", "r.lan/mirror"], layout: "full", map: undefined, registry: "r.lan" },
  {},
  { quick: true, repair: "o", layers: "raw" },
  { sort: "time", limit: 1 },
  { by: "created", prerelease: true },
  { limit: 1 },
  { platform: "linux/amd64" },
  {},
  {},
  { output: "o" },
  { artifactType: "t" },
  { registry: undefined },
  { username: "u", password: "p", tls: { clientCertificate: { cert: "", key: "" } } },
  { home: "/" },
  { archives: "site.tar", store: undefined, listen: ["127.0.0.1:0"], allowHost: "r.lan" },
];

// @ts-expect-error a value that is none of the union
export const badLayers: PullOptions = { output: "o", layers: "lz4" };
// @ts-expect-error a string is no list
void imgpack.push("app.tar");
// @ts-expect-error internal events are not public
export const internal: ProgressEvent = { kind: "committed", roots: [] };

export const classes: readonly (abstract new (...words: never[]) => imgpack.ImgpackError)[] = [
  imgpack.AuthError,
  imgpack.BadReferenceError,
  imgpack.IntegrityError,
  imgpack.InternalError,
  imgpack.NetworkError,
  imgpack.EngineError,
  imgpack.NotFoundError,
  imgpack.StorageError,
  imgpack.UsageError,
  imgpack.ArchiveError,
  imgpack.RegistryError,
  imgpack.PartialError,
];
