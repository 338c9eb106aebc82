// A registry in memory, as a server reads it, and pages from it without a socket.
import { gunzipSync } from "node:zlib";
import { type Descriptor, describeBytes } from "../../../../src/oci/descriptor.ts";
import { type Digest, digestOf } from "../../../../src/oci/digest.ts";
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from "../../../../src/oci/media-types.ts";
import type {
  FoundDamage,
  Lack,
  ManifestRecord,
  OpenBlob,
  ServedBundle,
  ServedRegistry,
  ServedRepository,
  StoredContent,
} from "../../../../src/serve/content/served-registry.ts";
import { type PageAnswer, PageSite, type PageSiteOptions } from "../../../../src/serve/page/page-site.ts";

export class MemoryRepository implements ServedRepository {
  readonly name: string;
  readonly original: string;
  readonly records: Map<Digest, ManifestRecord> = new Map();
  readonly blobs: Map<Digest, number> = new Map();
  readonly names: Map<string, Digest> = new Map();
  readonly lacks: Map<Digest, Lack> = new Map();

  constructor(name: string) {
    this.name = name;
    this.original = name;
  }

  hasManifests(): boolean {
    return this.records.size > 0;
  }

  blob(digest: Digest): StoredContent | undefined {
    const size = this.blobs.get(digest);
    return size === undefined ? undefined : { digest, size };
  }

  manifest(digest: Digest): ManifestRecord | undefined {
    return this.records.get(digest);
  }

  manifests(): Iterable<ManifestRecord> {
    return this.records.values();
  }

  tagged(tag: string): Digest | undefined {
    return this.names.get(tag);
  }

  tags(): Iterable<string> {
    return this.names.keys();
  }

  referrersOf(subject: Digest): readonly ManifestRecord[] {
    return [...this.records.values()].filter(record => record.subject === subject);
  }

  lack(digest: Digest): Lack | undefined {
    return this.lacks.get(digest);
  }
}

export interface ImageParts {
  readonly layers?: readonly Descriptor[];
  readonly config?: object;
  /** Of the manifest, in addition. */
  readonly extra?: object;
}

export class MemoryServed implements ServedRegistry {
  generation = 0;
  readonly damage: FoundDamage[] = [];
  bundle: ServedBundle | undefined;
  readonly namespaces = undefined;
  readonly repositories: Map<string, MemoryRepository> = new Map();
  readonly contents: Map<Digest, Uint8Array> = new Map();
  /** Manifests and blobs that were read. */
  reads = 0;
  /** Runs before each reading. */
  onRead: () => Promise<void> = async () => undefined;

  get inventory(): ServedRegistry {
    return this;
  }

  *names(): Generator<string, void> {
    yield* this.repositories.keys();
  }

  async repository(name: string): Promise<MemoryRepository | undefined> {
    return this.repositories.get(name);
  }

  namesakes(): readonly string[] {
    return [];
  }

  async readManifest({ digest }: StoredContent): Promise<Uint8Array | undefined> {
    this.reads += 1;
    await this.onRead();
    return this.contents.get(digest);
  }

  async openBlob({ digest, size }: StoredContent): Promise<OpenBlob | undefined> {
    this.reads += 1;
    const bytes = this.contents.get(digest);
    if (bytes === undefined) return undefined;
    return {
      digest,
      size,
      async *chunks({ start, end }) {
        yield bytes.subarray(start, end);
      },
      async close() {},
    };
  }

  at(name: string): MemoryRepository {
    const repository = this.repositories.get(name) ?? new MemoryRepository(name);
    this.repositories.set(name, repository);
    return repository;
  }

  /** A layer of which only the size is known: pages never read it. */
  layer(name: string, size: number, extra: Partial<Descriptor> = {}): Descriptor {
    return { mediaType: OCI_LAYER_GZIP, digest: digestOf(Buffer.from(name)), size, ...extra };
  }

  /** @param tag undefined: only the digest names it. */
  manifest(name: string, tag: string | undefined, mediaType: string, document: object): Descriptor {
    return this.manifestBytes(name, tag, mediaType, Buffer.from(JSON.stringify(document)), document);
  }

  manifestBytes(
    name: string,
    tag: string | undefined,
    mediaType: string,
    bytes: Buffer,
    document: object = {},
  ): Descriptor {
    const descriptor = describeBytes(mediaType, bytes);
    const { subject, artifactType } = document as { subject?: Descriptor; artifactType?: string };
    const repository = this.at(name);
    repository.records.set(descriptor.digest, {
      ...descriptor,
      ...(subject === undefined ? {} : { subject: subject.digest }),
      ...(artifactType === undefined ? {} : { artifactType }),
    });
    if (tag !== undefined) repository.names.set(tag, descriptor.digest);
    this.contents.set(descriptor.digest, bytes);
    this.generation += 1;
    return descriptor;
  }

  image(name: string, tag: string | undefined, parts: ImageParts = {}): Descriptor {
    const { layers = [this.layer(`${name}:${tag}`, 1000)], config = {}, extra = {} } = parts;
    const configBytes = Buffer.from(
      JSON.stringify({
        os: "linux",
        architecture: "amd64",
        rootfs: { type: "layers", diff_ids: [] },
        name,
        tag,
        ...config,
      }),
    );
    const described = describeBytes(OCI_CONFIG, configBytes);
    this.contents.set(described.digest, configBytes);
    const repository = this.at(name);
    for (const { digest, size } of [described, ...layers]) repository.blobs.set(digest, size);
    return this.manifest(name, tag, OCI_MANIFEST, {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: described,
      layers,
      ...extra,
    });
  }

  index(name: string, tag: string | undefined, manifests: readonly object[]): Descriptor {
    return this.manifest(name, tag, OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests });
  }
}

export const LINUX_AMD64 = { os: "linux", architecture: "amd64" };
export const LINUX_ARM64 = { os: "linux", architecture: "arm64", variant: "v8" };

export interface Fetched {
  readonly status: number;
  readonly headers: PageAnswer["headers"];
  readonly text: string;
}

export const HTML = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8";

export function memorySite(registry: ServedRegistry, options: Partial<PageSiteOptions> = {}): PageSite {
  return new PageSite(registry, { isReadOnly: true, isTls: false, isPrivate: false, store: undefined, ...options });
}

export interface FetchOptions {
  readonly method?: string;
  readonly accept?: string;
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Asks as a person would, unless `accept` says something else. */
export async function fetchPage(site: PageSite, url: string, options: FetchOptions = {}): Promise<Fetched> {
  const {
    method = "GET",
    accept = HTML,
    host = "registry.lan:5000",
    headers = {},
    signal = new AbortController().signal,
  } = options;
  const answer = await site.answer({ method, url, headers: { accept, ...headers } }, host, signal);
  const { status, body = new Uint8Array(0) } = answer;
  const bytes = answer.headers["content-encoding"] === "gzip" ? gunzipSync(body) : Buffer.from(body);
  return { status, headers: answer.headers, text: bytes.toString() };
}

/** Asks as a program. */
export async function fetchJson<T>(site: PageSite, url: string): Promise<T> {
  return JSON.parse((await fetchPage(site, url, { accept: "*/*" })).text) as T;
}
