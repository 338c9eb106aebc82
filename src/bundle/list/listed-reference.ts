/** How sure it is that a text names an image: `certain` ones are taken, `likely` ones only if the user asks for them. */
export type ReferenceClass = "certain" | "likely";

/** A reference that an input names. */
export interface ListedReference {
  /** As written, without a `docker://` or `oci://` in front. May have `*` and `?`. */
  readonly reference: string;
  readonly class: ReferenceClass;
  /** File as the user named it, "-" for stdin. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** `os/architecture[/variant]`, or "all" alone; absent if the input names none for this image. */
  readonly platforms?: readonly string[];
  /** Name that the image gets, in place of its own (`-> NAME` in a list). */
  readonly name?: string;
  /** Service of a compose file that has it as its image. */
  readonly service?: string;
  /** Digest that a lock gives the image; the name in it does not change. */
  readonly digest?: string;
  /** Digest that an archive with this lock has in its place, where platforms were left out or layers changed. */
  readonly written?: string;
}

/** What an input has where a reference belongs, and cannot be taken as one. */
export interface RefusedText {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly text: string;
  /** "found …, expected …" */
  readonly why: string;
}

/** What one input names. */
export interface ListedReferences {
  readonly references: readonly ListedReference[];
  readonly refused: readonly RefusedText[];
}
