/** What one registry answers differently from the plain one in memory. */
export interface Personality {
  readonly name: string;
  readonly auth?: "basic" | "bearer";
  /** Answers every HEAD of a blob with this. */
  readonly headBlob?: number;
  /** Answers every HEAD of a manifest with this. */
  readonly headManifest?: number;
  /** Blobs lie on another origin, which refuses an Authorization header (400) and HEAD (403). */
  readonly storage?: { readonly status: 302 | 303 | 307 };
  /** Answers a Range with the whole blob. */
  readonly ranges?: false;
  readonly blobHeaders?: Readonly<Record<string, string>>;
  /** Neither GET nor PUT of a manifest tells its digest. */
  readonly digestHeader?: false;
  /** Without OCI types in Accept: nothing found, or another document. */
  readonly accept?: "not-found" | "schema-1";
  /** Manifests of Docker's types are refused. */
  readonly ociOnly?: true;
  /** A manifest needs Content-Length. */
  readonly manifestLength?: true;
  /** Form of an upload's Location; "inner" names another scheme and port, "state" is good for one request. */
  readonly location?: "absolute" | "relative" | "inner" | "opaque" | "state";
  readonly uploadHeaders?: Readonly<Record<string, string>>;
  /** A blob, or a stream, in one request may have that many bytes; the answer beyond is 413 in HTML. */
  readonly mostWhole?: number;
  readonly chunks?: ChunkRules | "refused";
  /** Range of an empty session. */
  readonly emptyRange?: string;
  /** Answer to the question how far an upload got. */
  readonly progress?: 404 | 405;
  /** Answer to a mount. */
  readonly mount?: number;
  /** Answer to a cancelled upload. */
  readonly cancel?: number;
  /** Status of what went well. */
  readonly created?: 204;
  /** Sets a cookie with every answer, and refuses requests that bring it back. */
  readonly cookie?: true;
  /** Every token is good for so many requests. */
  readonly tokenRequests?: number;
  /** A second upload at the same time spoils the first one. */
  readonly oneUpload?: true;
}

export interface ChunkRules {
  readonly most?: number;
  readonly least?: number;
  /** Status for one that is larger. */
  readonly refusal?: 413 | 416;
  /** Status for one that was taken. */
  readonly taken?: 201 | 204;
  /** The answer goes on telling the end of the first chunk, or nothing. */
  readonly range?: "stale" | "absent";
  /** Takes at most that many bytes of a chunk, and says so. */
  readonly takes?: number;
}
