/** What a synthetic registry has. Sizes are in bytes. */
export interface SyntheticShape {
  readonly repositories: number;
  /** One image each. */
  readonly tagsPerRepository: number;
  /** Of an image, base first. */
  readonly layers: number;
  /** How many of them, from the base on, other images have, too. */
  readonly sharedLayers: number;
  /** Number of different bases that the images have in turn. */
  readonly bases: number;
  /**
   * "gzip": a small compressed tar, "zeros": an empty tar with more zeros than it needs, which is sent without being held.
   * Both have their true digests. "formula": the digest is that of the layer's name, and nothing can be downloaded.
   */
  readonly layerKind: "gzip" | "zeros" | "formula";
  /** Of a layer: of the file in a "gzip" layer, about that of a "zeros" layer, as stated of a "formula" layer. */
  readonly layerBytes: number;
  /** Size of a manifest that an annotation fills up; 0 for manifests without it. */
  readonly manifestBytes: number;
  /** Number of signatures of each image; "unsupported" for a registry without the referrers API. */
  readonly referrers: number | "unsupported";
  /** Entries of a page of tags or repositories, if the client wants as many. */
  readonly pageSize: number;
}

export const SYNTHETIC_SHAPE: SyntheticShape = {
  repositories: 1,
  tagsPerRepository: 1,
  layers: 2,
  sharedLayers: 0,
  bases: 1,
  layerKind: "gzip",
  layerBytes: 64,
  manifestBytes: 0,
  referrers: "unsupported",
  pageSize: 1000,
};
