import type { ImgpackError } from "../../errors.ts";

/** A repository of the v1 protocol. Upper case is legal in `name`. */
export interface V1Repository {
  /** "library" for a name of one part. */
  readonly namespace: string;
  readonly name: string;
}

/** The JSON of one layer, and what the server says about the layer. */
export interface V1LayerJson {
  readonly id: string;
  /** As stored: they are hashed, and never written back from the parsed form. */
  readonly bytes: Uint8Array;
  /** `algorithm:value` of each checksum header, or of the file `_checksum`; of json + "\n" + layer as stored. */
  readonly checksums: readonly string[];
  /** Bytes of the layer as stored; a hint, which may be wrong (X-Docker-Size). */
  readonly size?: number | undefined;
}

/** A layer as it is stored: mostly a raw tar, rarely gzip, xz, bzip2 or zstd. */
export interface V1Layer {
  /** Bytes, if the server states them before the first one (Content-Length); absent with chunked answers. */
  readonly size?: number | undefined;
  /**
   * All bytes from `start` on, default 0. A body that breaks off is resumed by a range, or read again from its first byte
   * and skipped to the same position. A chunk is valid until the next one is requested.
   *
   * @throws NotFoundError, NetworkError, RegistryError; IntegrityError for other than `size` bytes.
   */
  read(start?: number, signal?: AbortSignal): AsyncGenerator<Uint8Array, void>;
}

/** One repository while it is read: of a registry, with its token, cookies and endpoints. Nothing here is checked yet. */
export interface V1Session {
  /** What it was opened in. */
  readonly store: V1Store;
  readonly repository: V1Repository;
  /** Names, each once; empty if the repository has none. Foreign text: other registries may take no such tag. */
  tags(signal?: AbortSignal): Promise<readonly string[]>;
  /** @throws NotFoundError */
  tag(tag: string, signal?: AbortSignal): Promise<string>;
  /** The own id first, the base last. @throws NotFoundError */
  ancestry(id: string, signal?: AbortSignal): Promise<readonly string[]>;
  /** @throws NotFoundError; RegistryError "being uploaded" for a layer whose upload never ended. */
  json(id: string, signal?: AbortSignal): Promise<V1LayerJson>;
  /** @throws NotFoundError, as `json`. */
  layer(id: string, signal?: AbortSignal): Promise<V1Layer>;
}

export type OnUnlisted = (namespace: string, error: ImgpackError) => void;

/** What holds v1 images: a registry, or the storage folder of one that no longer starts. Only read. */
export interface V1Store extends AsyncDisposable {
  /** As messages name it: `v1://HOST` or `v1+dir:FOLDER`. */
  readonly name: string;
  /** Host of the names that its images get elsewhere: `HOST[:PORT]`, "localhost" for a folder. */
  readonly registry: string;
  /** `host[:port]` of a registry, for progress. */
  readonly host?: string;
  /** HTTP requests so far; 0 for a folder. */
  readonly requests: number;
  /**
   * All repositories: by search with an empty term, all pages.
   *
   * @param onUnlisted is called with a namespace whose repositories cannot be listed; by default that is an error.
   * @throws NotFoundError without a search.
   */
  repositories(signal?: AbortSignal, onUnlisted?: OnUnlisted): AsyncIterable<V1Repository>;
  /** Cached for the run: a repository is announced once (`GET …/images`). @throws NotFoundError */
  open(repository: V1Repository, signal?: AbortSignal): Promise<V1Session>;
}
