import type { Lock, LockedImage } from "../../../bundle/lock/lock.ts";
import type { Digest } from "../../../oci/digest.ts";
import type { KnownName } from "../../../oci/names/nearest-names.ts";
import type { ReferrerKind } from "../../../oci/referrers/referrer-kind.ts";
import type { ServedBundle, ServedPart } from "../../content/served-registry.ts";

/** All images that a server has, as they were when it was asked. Nothing in it is read again. */
export interface Catalogue {
  /** Of the registry, before the catalogue was read. */
  readonly generation: number;
  /** By registry, by path, then newer versions first. */
  readonly images: readonly ListedImage[];
  /** What no name leads to: it cannot be pulled from here, and is part of what is here. Their names are empty. */
  readonly unnamed: readonly ListedImage[];
  readonly totals: Totals;
  /** Undefined for a store. */
  readonly bundle: ServedBundle | undefined;
  /** Of the bundle, if it has one. */
  readonly id: Digest | undefined;
  readonly lock: Lock | undefined;
  /** The bundles in the files; none of a store. */
  readonly parts: readonly ServedPart[];
  /** @param name full name, with a tag, a digest, or both */
  find(name: string): ListedImage | undefined;
  /** Images that have the blob, each content once. */
  usesOf(digest: Digest): number;
}

/** What the images are together. Images of one digest are one content, whatever they are called. */
export interface Totals {
  /** Compressed bytes of all blobs, each once. */
  readonly bytes: number;
  /** Of these, what only one image has. */
  readonly ownBytes: number;
  /** Compressed bytes of all images, as if each were stored alone. */
  readonly aloneBytes: number;
  readonly signed: number;
  /** The registry was asked, and has none. */
  readonly unsigned: number;
  /** No one asked for signatures, or the registry did not answer. */
  readonly unknown: number;
  /** Images that cannot be pulled whole. */
  readonly broken: number;
  /** Compressed bytes that are missing or damaged, each blob once. */
  readonly brokenBytes: number;
}

/** An image or artifact by one of its names. */
export interface ListedImage extends KnownName {
  /** Of the manifest or index. */
  readonly digest: Digest;
  readonly mediaType: string;
  /** The repository at this server, for pulls: `registry.example/team/app`. */
  readonly repository: string;
  readonly isArtifact: boolean;
  readonly artifactType: string | undefined;
  /** In the order of the index; one for an image without an index. */
  readonly platforms: readonly ListedPlatform[];
  /** Compressed bytes of all carried platforms, each blob once. */
  readonly bytes: number;
  /** Of these, what no other image here uses. */
  readonly ownBytes: number;
  readonly attached: readonly Attached[];
  readonly signatures: Signatures;
  /** Why it cannot be pulled whole; empty if nothing is known against it. */
  readonly broken: readonly BrokenBlob[];
  /** What the lock of the bundle says of it. */
  readonly locked: LockedImage | undefined;
}

/**
 * Number of signatures, counted and not checked. "none": the source was asked, and has none. "absent": none are here, and no
 * one asked. "unknown": the source did not answer.
 */
export type Signatures = number | "none" | "absent" | "unknown";

export interface ListedPlatform {
  /** `linux/arm64/v8`; "" for content that names no platform. */
  readonly label: string;
  readonly digest: Digest;
  /** "left out": the index names it, and it was not carried. */
  readonly state: "here" | "left out" | "broken";
  /** Compressed bytes of config and layers, each blob once; 0 unless here. */
  readonly bytes: number;
  readonly layers: number;
}

/** A manifest that refers to an image or to one of its platforms. */
export interface Attached {
  readonly kind: ReferrerKind;
  readonly type: string;
  readonly digest: Digest;
  /** Bytes of its blobs. */
  readonly bytes: number;
  /** Label of the platform that it is for; undefined: the whole image. */
  readonly platform: string | undefined;
  readonly tag: string | undefined;
}

/** Content that an image needs, and that cannot be sent. */
export interface BrokenBlob {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly kind: "manifest" | "config" | "layer";
  /** From 1, for a layer. */
  readonly layer: number | undefined;
  /**
   * "damaged": found while it was read. "missing": it is in a volume that is not here, or was deleted. "assumed": a delta
   * leaves it to its base. "unreadable": a manifest that no parser accepts.
   */
  readonly why: "damaged" | "missing" | "assumed" | "unreadable";
  /** Volumes that have it, if it is missing. */
  readonly volumes: readonly number[];
  /** What is there instead, for people; foreign text. */
  readonly found: string | undefined;
}
